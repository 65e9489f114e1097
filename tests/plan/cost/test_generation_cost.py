"""What greedy generation costs, against torch's counter and the allocator while transformers generates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from measured import allocated_at_peak, counted_flops, dimensions, model

from clpd_bench.costs.evaluations import generated
from clpd_bench.costs.inputs import Texts
from clpd_bench.costs.memory import Held, generating
from clpd_bench.flops.passes import forward, total

BATCH, PROMPT, NEW = 6, 40, 25


def work(d_vocabulary: int) -> tuple[float, int, int, float]:
    """FLOPs worked out and counted, bytes measured and worked out."""
    d = dimensions(vocab_size=d_vocabulary)
    writer = model(d, eos_token_id=None, pad_token_id=0).eval()
    ids = torch.full((BATCH, PROMPT), 5)

    def run() -> None:
        writer.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)

    texts = Texts(np.full(BATCH, float(PROMPT)), np.full(BATCH, 99.0), PROMPT + 99)
    prompts, answers = generated(texts, NEW, BATCH)
    expected = total([*forward(d, d.vocab_size, prompts, ""), *forward(d, d.vocab_size, answers, "")])
    peak = generating(Held(d, 4), BATCH, PROMPT, NEW)
    return expected, counted_flops(run), allocated_at_peak(run), peak.bytes - peak.terms[0].value


def test_prompts_and_each_new_token_are_counted() -> None:
    expected, counted, _, _ = work(300)
    assert counted == pytest.approx(expected, rel=0.05)


def test_memory_is_bounded_by_the_longest_cache_and_the_prompts_pass() -> None:
    _, _, measured, bound = work(300)
    assert measured <= bound * 1.15
    assert measured > bound / 2


def test_a_batch_goes_on_until_its_longest_output_ends_or_no_more_is_allowed() -> None:
    lengths = np.array([3.0, 10.0, 7.0, 50.0])
    texts = Texts(np.array([9.0, 8.0, 7.0, 6.0]), lengths, 60)
    prompts, answers = generated(texts, 20, 2)
    assert prompts.tokens == 2 * 9 + 2 * 7
    assert prompts.responses == 4
    assert answers.tokens == 2 * (10 - 1) + 2 * (20 - 1)
    pairs = sum(2 * (9 + t) for t in range(1, 10)) + sum(2 * (7 + t) for t in range(1, 20))
    assert answers.squares == pairs
