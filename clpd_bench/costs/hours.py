"""How long jobs take, as finished ones did or by their FLOPs, and what one more seed costs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clpd_bench.costs.cost import JobCost, Seconds
from clpd_bench.costs.machines import Machines
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

UNTRAINED_SECONDS = 10.0
"""For a model that is only initialised, before one has been."""


def measured(plan: Plan, store: Store) -> dict[str, float]:
    """Seconds of the plan's finished jobs, by key."""
    manifests = {key: store.manifest(key) for key in plan.jobs}
    return {key: float(found.get("seconds", 0.0)) for key, found in manifests.items() if found is not None}


class Estimates:
    """Seconds of a plan's jobs: measured where they are done, else the median of those alike.

    Alike are jobs of a kind with the same settings but for seed, order, stages and teachers, on the same
    corpus, whose models are alike in turn.
    """

    def __init__(self, plan: Plan, measured: Mapping[str, float]) -> None:
        self._plan = plan
        self._alike: dict[str, str] = {}
        self.measured = measured
        by_likeness: dict[str, list[float]] = {}
        for key, seconds in measured.items():
            by_likeness.setdefault(self._likeness(key), []).append(seconds)
        self._median = {likeness: statistics.median(values) for likeness, values in by_likeness.items()}

    def seconds(self, key: str) -> float | None:
        """None where nothing like it is done."""
        if key in self.measured:
            return self.measured[key]
        known = self._median.get(self._likeness(key))
        job = self._plan.jobs[key]
        untrained = job.kind == "model" and job.spec.model_dump(include={"training"})["training"] is None
        return UNTRAINED_SECONDS if known is None and untrained else known

    def _likeness(self, key: str) -> str:
        if key not in self._alike:
            job = self._plan.jobs[key]
            spec: dict[str, Any] = job.spec.model_dump(mode="json", exclude={"seed", "supervision"})
            parents = [self._likeness(job.parents[role]) for role in ("model", "initial") if role in job.parents]
            self._alike[key] = json.dumps([job.kind, spec, job.parents.get("corpus"), parents], sort_keys=True)
        return self._alike[key]


def seconds_of_jobs(plan: Plan, machines: Machines, costs: Mapping[str, JobCost], store: Store) -> dict[str, Seconds]:
    """By key, where something tells."""
    took = measured(plan, store)
    out: dict[str, Seconds] = {}
    for name, one in machines.by_profile.items():
        there = {key: seconds for key, seconds in took.items() if machines.ran_on.get(key) == name}
        alike = Estimates(plan, there)

        def reckoned(key: str, speed: Callable[[str], float | None] = one.flops_a_second) -> float | None:
            cost = costs[key]
            rate = speed(cost.precision)
            return None if cost.total is None or rate is None else cost.total / rate

        correction = _corrections(plan, there, reckoned)
        for key in (key for key in plan.jobs if machines.profile(key) == name):
            raw, known = reckoned(key), alike.seconds(key)
            kind = plan.jobs[key].kind
            if key in took:
                out[key] = Seconds(took[key], "done")
            elif not costs[key].unknown and not costs[key].flops:
                out[key] = Seconds(known or 0.0, "arithmetic")
            elif known is not None:
                out[key] = Seconds(known, "alike")
            elif raw is not None:
                by = correction.get(kind)
                out[key] = Seconds(raw, "arithmetic") if by is None else Seconds(raw * by, "corrected")
    return out


def _corrections(plan: Plan, took: Mapping[str, float], reckoned: Callable[[str], float | None]) -> dict[str, float]:
    """By kind, the median of measured by reckoned seconds."""
    ratios: dict[str, list[float]] = {}
    for key, seconds in took.items():
        expected = reckoned(key)
        if expected:
            ratios.setdefault(plan.jobs[key].kind, []).append(seconds / expected)
    return {kind: statistics.median(found) for kind, found in ratios.items()}


@dataclass(frozen=True)
class SeedCost:
    """Attributes:
    seconds: of all jobs that a new seed brings, one after the other.
    device: what students were trained on: `gpu`, `cpu`, or `mixed`.
    """

    seconds: float
    device: str


def seed_cost(plan: Plan, store: Store) -> SeedCost | None:
    """By finished jobs; None until something like each of a seed's jobs has finished."""
    seeds = sorted({cell.seed for cell in plan.cells})
    estimates = Estimates(plan, measured(plan, store))
    totals = [_total(seed_keys(plan, seed), estimates) for seed in seeds]
    known = [total for total in totals if total is not None]
    return SeedCost(statistics.median(known), _device(plan, store)) if known else None


def seed_keys(plan: Plan, seed: int) -> set[str]:
    """Jobs that are there for this seed alone: each arm's student and its evaluations, and, where students
    start from fresh weights, the initial model and its evaluations as a reference."""
    cells = [cell for cell in plan.cells if cell.seed == seed]
    keys = {key for cell in cells for key in (cell.model, *cell.evaluations.values())}
    starts = {plan.jobs[cell.model].parents["initial"] for cell in cells}
    own = {key for key in starts if plan.jobs[key].spec.model_dump(include={"training"})["training"] is None}
    return keys | own | {key for one in plan.references if one.model in own for key in one.evaluations.values()}


def _total(keys: set[str], estimates: Estimates) -> float | None:
    seconds = [estimates.seconds(key) for key in keys]
    return None if None in seconds else sum(one for one in seconds if one is not None)


def _device(plan: Plan, store: Store) -> str:
    manifests = [store.manifest(key) for key in sorted({cell.model for cell in plan.cells})]
    kinds = {"cpu" if str(one["device"]).startswith("cpu") else "gpu" for one in manifests if one and "device" in one}
    return kinds.pop() if len(kinds) == 1 else "mixed"
