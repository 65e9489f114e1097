"""Whether jobs fit into the GPUs of their profiles, and what makes those smaller that don't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from clpd_bench.costs.cost import JobCost, TooLarge
from clpd_bench.costs.inputs import Sources
from clpd_bench.costs.jobs import job_cost
from clpd_bench.costs.machines import Machines
from clpd_bench.costs.memory import Peak
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


SHARE = 0.005
"""Of the peak: smaller parts stand in a sum together."""


def too_large(sources: Sources, machines: Machines, costs: Mapping[str, JobCost], todo: set[str]) -> list[TooLarge]:
    """Of the jobs to do that need more than their profile's GPU has, the largest of each kind and profile."""
    worst: dict[tuple[str, str], tuple[int, str]] = {}
    for key in (key for key in sources.plan.jobs if key in todo):
        peak, name = costs[key].peak, machines.profile(key)
        memory = machines.by_profile[name].memory
        place = (name, sources.plan.jobs[key].kind)
        if peak is not None and memory is not None and peak.bytes > max(memory, worst.get(place, (0, ""))[0]):
            worst[place] = (peak.bytes, key)
    return [
        _refused(sources.plan.jobs[key], name, machines, costs[key], sources) for (name, _), (_, key) in worst.items()
    ]


def _refused(job: Job, name: str, machines: Machines, cost: JobCost, sources: Sources) -> TooLarge:
    peak, memory = cost.peak, machines.by_profile[name].memory
    assert peak
    assert memory
    what = (
        f"{job.label} needs {'about ' if cost.estimated else ''}{memory_sum(peak)} {peak.at}, and a worker of profile "
        f"{name} has {memory / 1e9:.4g} GB"
    )
    ways = smaller(job, peak.bytes, sources)
    able = [way for way, size in ways.items() if size <= memory]
    enough = [f"{' and '.join(way)} ({ways[way] / 1e9:.4g} GB)" for way in able if len(way) == len(able[0])]
    others = sorted(other for other, one in machines.by_profile.items() if one.memory and one.memory >= peak.bytes)
    enough += [f"profile {' or '.join(others)} for it"] if others else []
    if enough:
        return TooLarge(job.key, name, what, f"Take {', or '.join(enough)}")
    fix = "Take a profile with a larger GPU, or a smaller model"
    if ways:
        way = min(ways, key=ways.__getitem__)
        fix += f": the least that settings make of it is {ways[way] / 1e9:.4g} GB, with {' and '.join(way)}"
    return TooLarge(job.key, name, what, fix)


def memory_sum(peak: Peak) -> str:
    """`weights 15.2 GB + gradients 30.5 GB + ... = 122.0 GB`."""
    large = [term for term in peak.terms if term.value >= SHARE * peak.bytes]
    rest = peak.bytes - sum(term.value for term in large)
    parts = [f"{term.what} {term.value / 1e9:.3g} GB" for term in sorted(large, key=lambda term: -term.value)]
    parts += [f"others {rest / 1e9:.2g} GB"] if len(large) < len(peak.terms) else []
    return f"{' + '.join(parts)} = {peak.bytes / 1e9:.4g} GB"
