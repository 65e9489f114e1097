"""What a model's pass over a corpus costs: difficulties by its loss, and targets."""

from __future__ import annotations

from clpd_bench.corpus.example import SPLITS
from clpd_bench.launch.costs.sources import Sources
from clpd_bench.launch.costs.texts import passes, whole
from clpd_bench.plan.cost.flops import forward
from clpd_bench.plan.cost.job import JobCost
from clpd_bench.plan.cost.memory import TARGET_BLOCKS, Held, largest_of, reading, score_blocks
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import TargetsSpec

LOSS_BATCH_TOKENS = 8192
"""As `jobs.difficulty` and `jobs.evaluation` have it."""


def targets_cost(job: Job, spec: TargetsSpec, sources: Sources) -> JobCost:
    """The teacher's pass over the training split."""
    return _pass(job, ("train",), spec.batch_tokens, TARGET_BLOCKS, sources)


def difficulty_cost(job: Job, sources: Sources) -> JobCost:
    """A model's pass over all splits, where the difficulty is its loss; else nothing."""
    if "model" not in job.parents:
        return JobCost()
    return _pass(job, SPLITS, LOSS_BATCH_TOKENS, score_blocks(sources.width(job.parents["model"])), sources)


def _pass(job: Job, splits: tuple[str, ...], batch_tokens: int, blocks: int, sources: Sources) -> JobCost:
    model, corpus = job.parents["model"], job.parents["corpus"]
    d, vocabulary = sources.dimensions.of(model), sources.dimensions.vocabulary(corpus)
    if d is None:
        return sources.nothing_of(model)
    flops, peaks = [], []
    for split in splits:
        texts = sources.corpora.texts(corpus, split)
        if texts is None or vocabulary is None:
            return sources.no_texts(corpus)
        read, largest = passes(texts, whole(texts), batch_tokens)
        flops += forward(d, vocabulary, read, f"{split} split")
        peaks.append(reading(Held(d, sources.width(model)), vocabulary, largest, blocks))
    return JobCost(
        tuple(flops),
        largest_of(peaks),
        d,
        sources.precision(model),
        estimated=sources.estimates(corpus, model),
    )
