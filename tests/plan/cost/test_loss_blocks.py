"""How many blocks of logits the loss, scores and targets hold at a time, counted by torch's profiler."""

from __future__ import annotations

import pytest
import torch
from measured import allocated_at_peak

from clpd_bench.curriculum.stages import Moment
from clpd_bench.distillation.chunked import chunked_sum
from clpd_bench.distillation.divergences import TargetRows, TokenLoss
from clpd_bench.distillation.head import Head
from clpd_bench.flops.sizes import CHUNK_ELEMENTS
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl

VOCABULARY, WIDTH = 4096, 8


@pytest.mark.parametrize(("dtype", "several"), [(torch.float32, False), (torch.float32, True), (torch.bfloat16, True)])
@pytest.mark.parametrize(
    ("loss", "top_k"),
    [
        (CrossEntropy(name="cross_entropy"), None),
        (ForwardKl(name="forward_kl"), None),
        (ForwardKl(name="forward_kl", temperature=2), None),
        (ForwardKl(name="forward_kl"), 16),
        (ForwardKl(name="forward_kl", temperature=2), 16),
        (ForwardKl(name="forward_kl", ce_weight=0.5), None),
        (ForwardKl(name="forward_kl", ce_weight=0.5), 16),
        (ForwardKl(name="forward_kl", temperature=2, ce_weight=0.5), None),
        (ForwardKl(name="forward_kl", temperature=2, ce_weight=0.5), 16),
    ],
    ids=str,
)
def test_as_many_are_reckoned_as_there_are(
    loss: CrossEntropy | ForwardKl, top_k: int | None, dtype: torch.dtype, several: bool
) -> None:
    rows = 2 * CHUNK_ELEMENTS["cpu"] // VOCABULARY if several else 200
    hidden = torch.randn(rows, WIDTH, dtype=dtype, requires_grad=True)
    weight = torch.randn(VOCABULARY, WIDTH, dtype=dtype, requires_grad=True)
    labels = torch.zeros(rows, dtype=torch.long)
    stored = torch.randn(rows, top_k or VOCABULARY)
    ids = torch.randint(0, VOCABULARY, (rows, top_k)) if top_k else None

    of_tokens = TokenLoss(loss)

    def of_chunk(logits: torch.Tensor, part: slice) -> torch.Tensor:
        said = TargetRows(None if ids is None else ids[part], stored[part].clone(), torch.zeros(part.stop - part.start))
        return of_tokens(logits, labels[part], said if loss.taught else None, None, Moment(1, 1, 1, 1))

    measured = allocated_at_peak(lambda: chunked_sum(hidden, Head(weight), of_chunk)) - 4 * VOCABULARY * WIDTH
    block = 4 * min(CHUNK_ELEMENTS["cpu"], rows * VOCABULARY)
    blocks = loss.logit_blocks(top_k, several)
    # Beside them, what is stored and, of bfloat16, half a block of the gradient.
    assert abs(measured / block - blocks) < 0.55
