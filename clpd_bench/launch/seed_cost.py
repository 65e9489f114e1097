"""What one more seed costs."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from clpd_bench.launch.estimates import Estimates, measured
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


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
