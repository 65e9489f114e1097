"""What an evaluation costs: generating or weighing choices through lm-eval, and the loss of responses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clpd_bench.launch.costs.readers import LOSS_BATCH_TOKENS
from clpd_bench.launch.costs.sources import WIDTHS, Sources
from clpd_bench.launch.costs.texts import Texts, passes, whole
from clpd_bench.plan.cost.flops import forward
from clpd_bench.plan.cost.job import JobCost
from clpd_bench.plan.cost.memory import Held, generating, largest_of, reading, score_blocks, weighing
from clpd_bench.plan.cost.read import Read
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import ChoiceSpec, EvaluationSpec, TaskSpec


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
        steps = min(float(new), float(texts.responses[rows].max())) - 1  # the first token comes of the prompt
        prompts += Read(count * width, count * width**2, count)
        answers += Read(count * steps, count * steps * (width + (steps + 1) / 2), count * steps)
    return prompts, answers


def weighed(texts: Texts, choices: NDArray[np.int64], batch_size: int) -> Read:
    """Each choice behind its prompt, taken to be as long as the response; the head at every place."""
    width = np.sort(np.repeat(texts.tokens - 1, choices))[::-1]
    read = Read()
    for start in range(0, len(width), batch_size):
        rows = width[start : start + batch_size]
        tokens = float(len(rows) * rows[0])
        read += Read(tokens, tokens * float(rows[0]), tokens)
    return read
