"""What makes a job smaller, each way tried on its arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from clpd_bench.launch.costs.jobs import job_cost
from clpd_bench.launch.costs.sources import Sources
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import EvaluationSpec, ModelSpec, Spec

Change = tuple[str, dict[str, object]]


def smaller(job: Job, peak: int, sources: Sources) -> dict[tuple[str, ...], int]:
    """{settings: the peak in bytes}, of those below `peak`: single ones first, then several together."""
    out: dict[tuple[str, ...], int] = {}
    changes = list(_ways(job.spec))
    for number in range(1, len(changes) + 1):
        for together in combinations(changes, number):
            cost = job_cost(replace(job, spec=_changed(job.spec, together)), sources)
            if cost.peak is not None and cost.peak.bytes < peak:
                out[tuple(way for way, _ in together)] = cost.peak.bytes
    return out


def _ways(spec: Spec) -> Iterator[Change]:
    if isinstance(spec, ModelSpec) and spec.training:
        if spec.training.precision == "float32":
            yield "precision: bfloat16", {"precision": "bfloat16"}
        if not spec.training.activation_checkpointing:
            yield "activation_checkpointing: true", {"activation_checkpointing": True}
        quarter = max(1, spec.training.micro_batch_tokens // 4)
        yield f"micro_batch_tokens: {quarter}", {"micro_batch_tokens": quarter}
    elif isinstance(spec, EvaluationSpec):
        if spec.dtype == "float32":
            yield "evaluation.dtype: bfloat16", {"dtype": "bfloat16"}
        quarter = max(1, spec.batch_size // 4)
        yield f"evaluation.batch_size: {quarter}", {"batch_size": quarter}


def _changed(spec: Spec, together: tuple[Change, ...]) -> Spec:
    update: dict[str, object] = {}
    for _, change in together:
        update |= change
    if isinstance(spec, ModelSpec):
        assert spec.training
        return spec.model_copy(update={"training": spec.training.model_copy(update=update)})
    return spec.model_copy(update=update)
