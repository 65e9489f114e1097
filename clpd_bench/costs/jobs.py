"""What each job of a plan costs, worked out before it runs."""

from __future__ import annotations

import json

from clpd_bench.costs.cost import JobCost
from clpd_bench.costs.evaluations import difficulty_cost, evaluation_cost, targets_cost
from clpd_bench.costs.inputs import Sources
from clpd_bench.costs.models import model_cost
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import EvaluationSpec, ModelSpec, TargetsSpec


def job_costs(sources: Sources) -> dict[str, JobCost]:
    """By key.

    Jobs that differ in nothing but the seed, or in models of the same size, are worked out once.

    Raises:
        UserError: dimensions are declared that are not the model's own; a schedule cannot be built.
    """
    alike: dict[str, JobCost] = {}
    out = {}
    for key, job in sources.plan.jobs.items():
        likeness = _likeness(job, sources)
        if likeness not in alike:
            alike[likeness] = job_cost(job, sources)
        out[key] = alike[likeness]
    return out


def job_cost(job: Job, sources: Sources) -> JobCost:
    """Raises as `job_costs`."""
    if isinstance(job.spec, ModelSpec):
        return model_cost(job, job.spec, sources)
    if isinstance(job.spec, TargetsSpec):
        return targets_cost(job, job.spec, sources)
    if isinstance(job.spec, EvaluationSpec):
        return evaluation_cost(job, job.spec, sources)
    return difficulty_cost(job, sources) if job.kind == "difficulty" else JobCost()


def _likeness(job: Job, sources: Sources) -> str:
    """What the cost depends on."""
    spec = job.spec.model_dump(mode="json", exclude={"seed"})
    sizes = {}
    for role, parent in job.parents.items():
        sizes[role] = _size(sources.plan.jobs[parent], sources)
    return json.dumps([job.kind, spec, sizes], sort_keys=True)


def _size(parent: Job, sources: Sources) -> list[str]:
    if parent.kind == "targets":
        model = parent.parents["model"]
        return [parent.spec.model_dump_json(), *_size(sources.plan.jobs[model], sources)]
    if parent.kind != "model":
        return [parent.key]
    d = sources.dimensions.of(parent.key)
    return [parent.key if d is None else d.model_dump_json(), sources.precision(parent.key)]
