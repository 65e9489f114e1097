"""The plan of a whole grid: those of its points, with each shared job once."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.plan.plan import Evaluated, Job, Plan
from clpd_bench.settings.points import Point
from clpd_bench.settings.specs import Kind


@dataclass(frozen=True)
class PointPlan:
    """A point of the grid with its own plan: one comparison, complete in itself."""

    point: Point
    plan: Plan


ORDER: dict[Kind, int] = {"corpus": 0, "difficulty": 1, "model": 2, "targets": 2, "evaluation": 2}


def in_order(jobs: dict[str, Job]) -> dict[str, Job]:
    """Data first, and else as they come: parents first; a cell's student and evaluation before the next
    cell, so that early results come early."""

    def place(job: Job) -> int:
        return ORDER["model"] if "model" in job.parents else ORDER[job.kind]

    return dict(sorted(jobs.items(), key=lambda entry: place(entry[1])))


def whole(points: list[PointPlan]) -> Plan:
    """All jobs and all cells; one plan alone is the whole as it is, but for its point."""
    plans = [one.plan for one in points]
    jobs: dict[str, Job] = {}
    references: dict[str, Evaluated] = {}
    models: dict[str, list[str]] = {}
    for plan in plans:
        for job in plan.jobs.values():
            jobs.setdefault(job.key, job)
        for reference in plan.references:
            references.setdefault(reference.model, reference)
        for key, names in plan.models.items():
            models[key] = sorted({*models.get(key, []), *names})
    first = plans[0]
    return Plan(
        first.name,
        first.file,
        in_order(jobs),
        [cell for plan in plans for cell in plan.cells],
        list(references.values()) if len(plans) > 1 else first.references,
        first.corpora,
        {f"{arm}{plan.point}": data for plan in plans for arm, data in plan.arm_data.items()},
        {"points": {plan.point: plan.declaration for plan in plans}} if len(plans) > 1 else first.declaration,
        models=models,
        ladders=[ladder for plan in plans for ladder in plan.ladders],
    )
