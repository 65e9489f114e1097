"""What a plan costs as plain JSON: its jobs, those of a kind, those of an arm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clpd_bench.costs.cost import JobCost, PlanCost, Seconds, flops
from clpd_bench.flops.passes import Term
from clpd_bench.plan.plan import Plan


@dataclass(frozen=True)
class CostRow:
    """Attributes:
    name: a kind, or an arm.
    jobs: how many.
    parameters: of the largest model, None where there is none.
    flops: of all of them that are known.
    peak: the largest peak memory in bytes, None where no device is used.
    seconds: of all of them; None where not all are known.
    estimated: whether something in it is expected, and not counted.
    unknown: how many are not known.
    """

    name: str
    jobs: int
    parameters: int | None
    flops: float
    peak: int | None
    seconds: float | None
    estimated: bool
    unknown: int


def by_kind(plan: Plan, cost: PlanCost) -> list[CostRow]:
    kinds: dict[str, list[str]] = {}
    students = {cell.model for cell in plan.cells}
    for key, job in plan.jobs.items():
        kinds.setdefault("student" if key in students else job.kind, []).append(key)
    return [_row(kind, keys, cost) for kind, keys in kinds.items()]


def by_arm(plan: Plan, cost: PlanCost) -> list[CostRow]:
    """Students alone; arms at several points of the grid stand together."""
    arms: dict[str, list[str]] = {}
    for cell in plan.cells:
        arms.setdefault(cell.name, []).append(cell.model)
    return [_row(arm, list(dict.fromkeys(keys)), cost) for arm, keys in arms.items()]


def besides(plan: Plan, other: Plan, cost: PlanCost) -> CostRow | None:
    """What another plan, whose cost this is, has still to do that this one has not; None where that is nothing."""
    keys = [key for key in other.jobs if key not in plan.jobs and key not in cost.done]
    return _row("tuning", keys, cost) if keys else None


def _row(name: str, keys: Iterable[str], cost: PlanCost) -> CostRow:
    keys = list(keys)
    jobs = [cost.jobs[key] for key in keys]
    times = [cost.seconds[key].value if key in cost.seconds else None for key in keys]
    return CostRow(
        name,
        len(jobs),
        max((job.parameters for job in jobs if job.parameters is not None), default=None),
        sum(job.total or 0.0 for job in jobs),
        max((job.peak.bytes for job in jobs if job.peak is not None), default=None),
        None if None in times else sum(one for one in times if one is not None),
        any(job.estimated for job in jobs),
        sum(bool(job.unknown) for job in jobs),
    )


def cost_json(plan: Plan, cost: PlanCost, tuning: CostRow | None) -> dict[str, Any]:
    """FLOPs, bytes and seconds; `estimated` where something is expected or declared, and not counted.

    Args:
        tuning: what it would cost besides.
    """
    known = cost.naive
    return {
        "flops": flops(cost.jobs.values()),
        "estimated": any(job.estimated for job in cost.jobs.values()),
        "by_kind": [vars(row) for row in by_kind(plan, cost)],
        "by_arm": [vars(row) for row in by_arm(plan, cost)],
        "jobs": {key: _summed(job, cost.seconds.get(key)) for key, job in cost.jobs.items()},
        "disk": vars(cost.disk),
        "tuning": vars(tuning) if tuning else None,
        "each_cell_alone": None
        if known is None
        else {
            "flops": known.alone,
            "as_planned": known.planned,
            "ratio": known.alone / known.planned if known.planned else None,
            "ratio_with_teachers_given": known.given[1] / known.given[0] if known.given[0] else None,
        },
        "profiles": {name: vars(one) for name, one in cost.profiles.items()},
        "too_large": [vars(one) for one in cost.too_large],
    }


def job_json(job: JobCost, seconds: Seconds | None) -> dict[str, Any]:
    """One job's with every term."""
    peak = job.peak
    return {
        **_summed(job, seconds),
        "dimensions": None if job.dimensions is None else job.dimensions.model_dump(exclude_none=True),
        "flops_terms": _terms(job.flops),
        "peak_terms": _terms(peak.terms) if peak else [],
        "live_teachers_terms": _terms(job.alone),
    }


def _summed(job: JobCost, seconds: Seconds | None) -> dict[str, Any]:
    return {
        "parameters": job.parameters,
        "flops": job.total,
        "peak_memory": job.peak.bytes if job.peak else None,
        "peak_at": job.peak.at if job.peak else None,
        "precision": job.precision,
        "seconds": seconds.value if seconds else None,
        "seconds_by": seconds.by if seconds else None,
        "estimated": job.estimated,
        "unknown": job.unknown or None,
    }


def _terms(terms: tuple[Term, ...]) -> list[dict[str, Any]]:
    return [vars(term) for term in terms]
