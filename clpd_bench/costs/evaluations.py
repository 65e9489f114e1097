"""What passes over a corpus cost: difficulties, targets, evaluations through lm-eval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clpd_bench.corpus.example import SPLITS
from clpd_bench.costs.cost import JobCost
from clpd_bench.costs.inputs import Sources, Texts, passes, whole
from clpd_bench.costs.memory import Held, generating, largest_of, reading, score_blocks, target_blocks, weighing
from clpd_bench.flops.passes import forward
from clpd_bench.flops.sizes import LOSS_BATCH_TOKENS, WIDTHS
from clpd_bench.flops.tokens import Read, read_as_prompts, read_at_every_place, read_while_generating
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import ChoiceSpec, EvaluationSpec, TargetsSpec, TaskSpec


def targets_cost(job: Job, spec: TargetsSpec, sources: Sources) -> JobCost:
    """The teacher's pass over the training split."""
    return _pass(job, ("train",), spec.batch_tokens, target_blocks(spec.targets.temperatures), sources)


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


def evaluation_cost(job: Job, spec: EvaluationSpec, sources: Sources) -> JobCost:
    d = sources.dimensions.of(job.parents["model"])
    if d is None:
        return sources.nothing_of(job.parents["model"])
    if isinstance(spec.benchmark, TaskSpec):
        return JobCost(unknown=f"the documents of lm-eval's task {spec.benchmark.task}")
    corpus = job.parents["corpus"]
    texts, vocabulary = sources.corpora.texts(corpus, spec.split), sources.dimensions.vocabulary(corpus)
    if texts is None or vocabulary is None:
        return sources.no_texts(corpus)
    held = Held(d, WIDTHS[spec.dtype])
    read, largest = passes(texts, whole(texts), LOSS_BATCH_TOKENS)
    flops = forward(d, vocabulary, read, "response loss")
    peaks = [reading(held, vocabulary, largest, score_blocks(held.width))]
    guessed = isinstance(spec.benchmark, ChoiceSpec) or spec.benchmark.max_new_tokens is not None
    if isinstance(spec.benchmark, ChoiceSpec):
        if texts.choices is None:
            return JobCost(unknown=f"how many choices {sources.plan.jobs[corpus].label} has: make it with --corpus")
        flops += forward(d, d.vocab_size, weighed(texts, texts.choices, spec.batch_size), "choices")
        peaks.append(weighing(held, spec.batch_size, texts.longest - 1))
    elif spec.benchmark.max_new_tokens is not None:
        prompts, answers = generated(texts, spec.benchmark.max_new_tokens, spec.batch_size)
        flops += forward(d, d.vocab_size, prompts, "prompts") + forward(d, d.vocab_size, answers, "generated tokens")
        longest = texts.longest if texts.estimated else int(texts.prompts.max())
        peaks.append(generating(held, min(spec.batch_size, len(texts)), longest, spec.benchmark.max_new_tokens))
    return JobCost(
        tuple(flops),
        largest_of(peaks),
        d,
        spec.dtype,
        estimated=guessed or sources.estimates(corpus, job.parents["model"]),
    )


def generated(texts: Texts, new: int, batch_size: int) -> tuple[Read, Read]:
    """Prompts, and what is generated, batch by batch with the longest prompts first; a batch goes on until its last
    row ends. Outputs are taken to be as long as the corpus's own responses, `new` tokens at most: nobody knows what a
    model will write."""
    prompts, answers = Read(), Read()
    order = np.argsort(-texts.prompts, kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        count, width = len(rows), float(texts.prompts[rows].max())
        longest = min(float(new), float(texts.responses[rows].max()))
        prompts += read_as_prompts(count, width)
        answers += read_while_generating(count, width, longest)
    return prompts, answers


def weighed(texts: Texts, choices: NDArray[np.int64], batch_size: int) -> Read:
    """Each choice behind its prompt, taken to be as long as the response; the head at every place."""
    width = np.sort(np.repeat(texts.tokens - 1, choices))[::-1]
    read = Read()
    for start in range(0, len(width), batch_size):
        rows = width[start : start + batch_size]
        read += read_at_every_place(len(rows), float(rows[0]))
    return read
