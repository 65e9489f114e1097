"""What an ablation cost, as it was run and as it would have been without sharing. From manifests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clpd_bench.plan.plan import Job, Plan, PlannedEvaluation
from clpd_bench.store import Store


@dataclass(frozen=True)
class Spent:
    """Seconds of jobs (not of a clock on the wall: several run side by side), tokens that went through a
    model, and estimated FLOPs."""

    jobs: float = 0
    seconds: float = 0.0
    tokens: float = 0
    flops: float = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def __truediv__(self, by: float) -> Spent:
        return Spent(*(a / by for a in vars(self).values()))


@dataclass(frozen=True)
class ArmCost:
    """A cell of an arm, on average over its seeds.

    Attributes:
        training: the student's own.
        alone: everything that it and its evaluation need: data, pretrained start, teachers, targets.
        shared: the same, where a job that n cells need counts 1/n.
    """

    arm: str
    training: Spent
    alone: Spent
    shared: Spent


@dataclass(frozen=True)
class Cost:
    """Attributes:
    by_kind: of all jobs of the plan.
    arms: the arms of which something has been run.
    as_run: all that the cells need, each job once.
    alone: the sum over cells of what each needs.
    besides: evaluations that no cell needs, of references and of teachers on validation items.
    shared: (job, its cost, how many cells need it), the dearest first, for jobs of more than one cell.
    unknown: jobs without a manifest, whose cost is not counted.
    """

    by_kind: dict[str, Spent]
    arms: list[ArmCost]
    as_run: Spent
    alone: Spent
    besides: Spent
    shared: list[tuple[Job, Spent, int]]
    unknown: int


def cost(plan: Plan, store: Store) -> Cost:
    spent = {key: _spent(store, key) for key in plan.jobs}
    needs = {cell.id: _needed(plan, cell) for cell in plan.cells}
    users = {key: sum(key in needed for needed in needs.values()) for key in plan.jobs}
    kinds: dict[str, Spent] = {job.kind: Spent() for job in plan.jobs.values()}
    for key, job in plan.jobs.items():
        kinds[job.kind] += spent[key]
    arms = []
    for arm in dict.fromkeys(cell.name for cell in plan.cells):
        mine = [cell for cell in plan.cells if cell.name == arm and store.is_done(cell.model)]
        if mine:
            arms.append(
                ArmCost(
                    arm,
                    _sum(spent[cell.model] for cell in mine) / len(mine),
                    _sum(spent[key] for cell in mine for key in needs[cell.id]) / len(mine),
                    _sum(spent[key] / users[key] for cell in mine for key in needs[cell.id]) / len(mine),
                )
            )
    shared = [(plan.jobs[key], spent[key], n) for key, n in users.items() if n > 1]
    return Cost(
        kinds,
        arms,
        _sum(spent[key] for key, n in users.items() if n),
        _sum(spent[key] for needed in needs.values() for key in needed),
        _sum(spent[key] for key, n in users.items() if not n),
        sorted(shared, key=lambda entry: (-entry[1].seconds, entry[0].label)),
        sum(not one.jobs for one in spent.values()),
    )


def _needed(plan: Plan, cell: PlannedEvaluation) -> list[str]:
    """Keys of all jobs behind a cell, in the plan's order: sums of floats then come out the same."""
    needed = {key for last in cell.evaluations.values() for key in plan.ancestors(last)}
    return [key for key in plan.jobs if key in needed]


def _sum(parts: Iterable[Spent]) -> Spent:
    return sum(parts, Spent())


def _spent(store: Store, key: str) -> Spent:
    manifest = store.manifest(key)
    if manifest is None:
        return Spent()
    return Spent(1, float(manifest.get("seconds", 0)), manifest.get("tokens", 0), manifest.get("flops", 0))
