"""Head and loss a few rows at a time: equal to the plain product, and never a whole block."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import CE, END, PAD, fused_step, random_split
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.chunked import chunked_sum, logits_in_chunks
from clpd_bench.distillation.head import Head
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.targets import Targets, read_targets, write_targets
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.flops import sizes
from clpd_bench.settings.parts.loss import ForwardKl, TargetsSettings

R, D, V = 10, 4, 11


@pytest.fixture
def hidden() -> torch.Tensor:
    return torch.randn(R, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def weight() -> torch.Tensor:
    return torch.randn(V, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


LABELS = torch.arange(R) * 3 % V
SCALES = torch.linspace(1, 2, R, dtype=torch.float64)


def row_loss(logits: torch.Tensor, rows: slice) -> torch.Tensor:
    """Differs from row to row, so that a chunk given the wrong rows is seen."""
    log_q = logits.log_softmax(-1)
    return -SCALES[rows] * log_q.gather(-1, LABELS[rows, None]).squeeze(-1) + log_q.square().sum(-1)


@pytest.mark.parametrize("chunk_rows", [1, 3, 4, R - 1, R, 10 * R, None])
@pytest.mark.parametrize("outer", [1.0, -0.25])
def test_chunked_is_plain_in_value_and_gradients_for_any_chunk(
    hidden: torch.Tensor, weight: torch.Tensor, chunk_rows: int | None, outer: float
) -> None:
    ours = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
    plain = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
    value = outer * chunked_sum(ours[0], Head(ours[1]), row_loss, chunk_rows)
    reference = outer * row_loss(plain[0] @ plain[1].T, slice(0, R)).sum()
    torch.testing.assert_close(value, reference, rtol=1e-13, atol=0)
    mine, theirs = torch.autograd.grad(value, ours), torch.autograd.grad(reference, plain)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_no_response_token_gives_zero_with_a_graph(weight: torch.Tensor) -> None:
    before = torch.randn(0, D, dtype=torch.float64, requires_grad=True)
    w = weight.requires_grad_()
    value = chunked_sum(before * 2, Head(w), row_loss)
    value.backward()
    assert value.item() == 0
    assert before.grad is not None
    assert before.grad.shape == (0, D)
    assert w.grad is not None
    assert torch.equal(w.grad, torch.zeros(V, D, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_losses_see_float32_logits_and_add_up_in_float32(dtype: torch.dtype) -> None:
    seen = []

    def loss(logits: torch.Tensor, rows: slice) -> torch.Tensor:
        seen.append(logits.dtype)
        return logits.sum(-1)

    value = chunked_sum(torch.ones(R, D, dtype=dtype), Head(torch.ones(V, D, dtype=dtype)), loss, 3)
    parts = logits_in_chunks(torch.ones(R, D, dtype=dtype), Head(torch.ones(V, D, dtype=dtype)))
    assert {*seen, value.dtype, *(make().dtype for _, make in parts)} == {torch.float32}


def test_scoring_chunks_cover_each_row_once_with_its_own_logits(
    monkeypatch: pytest.MonkeyPatch, hidden: torch.Tensor, weight: torch.Tensor
) -> None:
    monkeypatch.setitem(sizes.CHUNK_ELEMENTS, "cpu", 3 * V)
    parts = [(rows, make()) for rows, make in logits_in_chunks(hidden, Head(weight))]
    assert [len(logits) for _, logits in parts] == [3, 3, 3, 1]
    for rows, logits in parts:
        torch.testing.assert_close(logits, hidden[rows] @ weight.T)
    assert torch.cat([torch.arange(R)[rows] for rows, _ in parts]).tolist() == list(range(R))


class Allocations(TorchDispatchMode):
    """The shapes of all that any operation gives back, forward and backward."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[tuple[int, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.shapes |= {tuple(t.shape) for t in tree_leaves(result) if isinstance(t, torch.Tensor)}
        return result

    def largest(self, having: int | None = None) -> int:
        chosen = [shape for shape in self.shapes if having is None or having in shape]
        return max(torch.Size(shape).numel() for shape in chosen)


WIDE = 211
"""A vocabulary far wider than the model, and a prime: a dimension of this size is the vocabulary."""


@pytest.fixture
def wide_model() -> PreTrainedModel:
    return model_of(WIDE, 16)


def model_of(vocabulary: int, width: int) -> PreTrainedModel:
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        pad_token_id=PAD,
        eos_token_id=END,
    )
    return LlamaForCausalLM(config)


@pytest.fixture
def wide_split() -> Split:
    return random_split([(2, 12 + i % 5) for i in range(12)], vocabulary=WIDE)


def _step_with(name: str, model: PreTrainedModel, split: Split, folder: Path) -> Callable[[], object]:
    """A training step under some loss, a scoring, or the writing of targets."""
    vocabulary = model.config.vocab_size
    everything, settings = list(range(len(split.ids))), TargetsSettings(top_k=None if name == "whole" else 3)
    if name == "score":
        return lambda: score(model, split, 10**6, Vocabulary(vocabulary, PAD))
    if name == "write":
        return lambda: write_targets(
            model, split, settings, 10**6, Vocabulary(vocabulary, PAD), folder, lambda done, of: None
        )
    if name == "cross_entropy":
        return lambda: fused_step(model, split, everything, loss=CE, micro_batch_tokens=10**6)
    targets: list[Targets | LiveTeacher]
    if name == "live":
        targets = [LiveTeacher(copy.deepcopy(model), vocabulary, 1.0) for _ in range(2)]
    else:
        write_targets(model, split, settings, 10**6, Vocabulary(vocabulary, PAD), folder, lambda done, of: None)
        targets = [read_targets(folder, split, 1.0)] * 2
    taught = [1 + i % 2 for i in everything]
    loss = ForwardKl(name="forward_kl", ce_weight=0.5)
    return lambda: fused_step(
        model, split, everything, loss=loss, teachers=taught, targets=targets, micro_batch_tokens=10**6
    )


@pytest.mark.parametrize("what", ["cross_entropy", "top_k", "whole", "live", "score", "write"])
def test_no_block_of_all_response_tokens_by_vocabulary_is_ever_held(
    monkeypatch: pytest.MonkeyPatch, wide_model: PreTrainedModel, wide_split: Split, tmp_path: Path, what: str
) -> None:
    tokens = int(wide_split.responses.lengths.sum())
    limit = 16 * WIDE  # as large as the head itself
    assert tokens * WIDE > 8 * limit
    step = _step_with(what, wide_model, wide_split, tmp_path)
    with Allocations() as whole:
        step()
    assert whole.largest() >= tokens * WIDE  # one chunk holds it all: the recorder does see it
    monkeypatch.setitem(sizes.CHUNK_ELEMENTS, "cpu", limit)
    with Allocations() as seen:
        step()
    assert seen.largest(having=WIDE) <= limit
    assert seen.largest() < tokens * WIDE / 4


QWEN = 151_936


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("what", ["cross_entropy", "top_k", "live", "score"])
def test_a_step_at_a_vocabulary_of_152k_holds_one_chunk_of_logits(
    tmp_path: Path, what: str, precision: torch.dtype
) -> None:
    """As the suite is, not with smaller chunks; a chunk of all tokens would be seen, as it is above."""
    model = model_of(QWEN, 4).to(precision)
    split = random_split([(2, 20)] * 2, vocabulary=QWEN)
    step = _step_with(what, model, split, tmp_path)
    with Allocations() as seen:
        step()
    assert seen.largest() <= sizes.CHUNK_ELEMENTS["cpu"] < 40 * QWEN


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("scale", "soft_cap"), [(1.0, None), (0.25, None), (1.0, 3.0), (1.7, 2.0)])
def test_scale_soft_cap_and_bias_are_in_the_gradients(
    hidden: torch.Tensor, weight: torch.Tensor, scale: float, soft_cap: float | None, bias: bool
) -> None:
    added = torch.linspace(-1, 1, V, dtype=torch.float64) if bias else None
    ours, plain = (
        [t.clone().requires_grad_() for t in (hidden, weight, *([] if added is None else [added]))] for _ in range(2)
    )
    head = Head(ours[1], ours[2] if bias else None, scale, soft_cap)
    logits = scale * (plain[0] @ plain[1].T + (plain[2] if bias else 0))
    capped = logits if soft_cap is None else soft_cap * torch.tanh(logits / soft_cap)
    value, reference = chunked_sum(ours[0], head, row_loss, 3), row_loss(capped, slice(0, R)).sum()
    torch.testing.assert_close(value, reference, rtol=1e-12, atol=0)
    for a, b in zip(torch.autograd.grad(value, ours), torch.autograd.grad(reference, plain), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


def test_a_frozen_head_has_no_gradient_and_none_is_computed(hidden: torch.Tensor, weight: torch.Tensor) -> None:
    states = hidden.clone().requires_grad_()
    with Allocations() as seen:
        value = chunked_sum(states, Head(weight), row_loss, 3)
        value.backward()
    assert weight.grad is None
    assert (V, D) not in seen.shapes
    plain = hidden.clone().requires_grad_()
    (expected,) = torch.autograd.grad(row_loss(plain @ weight.T, slice(0, R)).sum(), plain)
    torch.testing.assert_close(states.grad, expected, rtol=1e-12, atol=1e-12)


def test_a_bfloat16_heads_gradient_is_summed_over_chunks_in_float32() -> None:
    """Of equal rows: a sum in bfloat16 stands still at 256 of them."""
    rows = 1000
    weight = torch.full((V, D), 0.5, dtype=torch.bfloat16, requires_grad=True)
    states = torch.ones(rows, D, dtype=torch.bfloat16)
    chunked_sum(states, Head(weight), lambda logits, part: logits.sum(-1), 1).backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, torch.full((V, D), float(rows), dtype=torch.bfloat16), rtol=2**-8, atol=0)
