"""What a plan costs, as plain JSON."""

from __future__ import annotations

from typing import Any

from clpd_bench.plan.cost.job import JobCost
from clpd_bench.plan.cost.terms import Term
from clpd_bench.plan.cost.whole import PlanCost, Seconds, flops
from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.cost_rows import Row, by_arm, by_kind


def cost_json(plan: Plan, cost: PlanCost, tuning: Row | None) -> dict[str, Any]:
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
