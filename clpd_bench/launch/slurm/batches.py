"""Few Slurm jobs out of many: which jobs are worked through by one task, and what each batch waits for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from clpd_bench.plan.plan import Plan


@dataclass(frozen=True)
class Batch:
    """Keys that one Slurm task works through, in this order.

    Attributes:
        after: numbers of the batches that it waits for, in the list that it stands in.
        outside: keys that others are at, for which it waits, too.
        seconds: estimated; None where nothing like it has run.
    """

    keys: tuple[str, ...]
    profile: str
    after: frozenset[int]
    outside: frozenset[str]
    seconds: float | None


@dataclass
class _Unit:
    """Jobs that stay together: one, or a model with the evaluations that alone need it."""

    keys: list[str]
    profile: str
    needs: set[str] = field(default_factory=set)
    depth: int = 0


def batches(
    plan: Plan,
    todo: set[str],
    alive: set[str],
    profile: Callable[[str], str],
    seconds: Callable[[str], float | None],
    full: Callable[[str], float],
    unknown: int = 1,
) -> list[Batch]:
    """Batches of the plan's jobs that are to do, those that others wait for first.

    Units of one profile that wait for the same batches are put together, in the plan's order, until a batch
    is full.

    Args:
        todo: keys to run.
        alive: keys that others are at, or have been until now: their jobs are waited for.
        profile: of a key.
        seconds: estimated, of a key.
        full: the seconds that fill a batch of a profile.
        unknown: how many units without an estimate fill one.
    """
    units = _units(plan, todo, profile)
    of = {key: unit for unit in units for key in unit.keys}
    for unit in units:  # in the plan's order, so parents come first
        unit.needs = {parent for key in unit.keys for parent in plan.jobs[key].parents.values()} - set(unit.keys)
        unit.depth = max((of[key].depth + 1 for key in unit.needs & todo), default=0)
    out: list[Batch] = []
    batch_of: dict[str, int] = {}
    for depth in range(max((unit.depth for unit in units), default=-1) + 1):
        groups: dict[tuple[str, frozenset[int], frozenset[str]], list[_Unit]] = {}
        for unit in (unit for unit in units if unit.depth == depth):
            after = frozenset(batch_of[key] for key in unit.needs & todo)
            groups.setdefault((unit.profile, after, frozenset((unit.needs | set(unit.keys)) & alive)), []).append(unit)
        for (name, after, outside), members in groups.items():
            for together, total in _packed(members, seconds, full(name), unknown):
                keys = tuple(key for unit in together for key in unit.keys)
                batch_of |= dict.fromkeys(keys, len(out))
                out.append(Batch(keys, name, after, outside, total))
    return out


def _units(plan: Plan, todo: set[str], profile: Callable[[str], str]) -> list[_Unit]:
    children: dict[str, list[str]] = {}
    for job in plan.jobs.values():
        for parent in job.parents.values():
            children.setdefault(parent, []).append(job.key)
    units: dict[str, _Unit] = {}
    out = []
    for key in (key for key in plan.jobs if key in todo):
        job, name = plan.jobs[key], profile(key)
        with_model = units.get(job.parents["model"]) if job.kind == "evaluation" else None
        alone = with_model and all(plan.jobs[child].kind == "evaluation" for child in children[job.parents["model"]])
        if with_model and alone and with_model.profile == name:
            with_model.keys.append(key)
            continue
        unit = _Unit([key], name)
        if job.kind == "model":
            units[key] = unit
        out.append(unit)
    return out


def _packed(
    units: Iterable[_Unit], seconds: Callable[[str], float | None], full: float, unknown: int
) -> Iterable[tuple[list[_Unit], float | None]]:
    """Units in batches, each with its estimated seconds."""
    together: list[_Unit] = []
    filled, total = 0.0, 0.0
    for unit in units:
        known = [seconds(key) for key in unit.keys]
        cost = None if None in known else sum(value or 0.0 for value in known)
        share = full / unknown if cost is None else cost
        if together and filled + share > full * (1 + 1e-9):
            yield together, total if math.isfinite(total) else None
            together, filled, total = [], 0.0, 0.0
        together.append(unit)
        filled += share
        total += math.inf if cost is None else cost
    if together:
        yield together, total if math.isfinite(total) else None
