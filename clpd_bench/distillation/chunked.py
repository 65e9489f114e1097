"""The output head and the loss together, a few response tokens at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

ChunkLoss = Callable[[torch.Tensor, slice], torch.Tensor]
"""(logits [r, V] in float32 or finer, which rows of R these are) -> loss [r]."""

CHUNK_ELEMENTS = 2**22
"""Logits held at once: 16 MB in float32, whatever the batch and the vocabulary."""


def chunked_sum(
    hidden: torch.Tensor, weight: torch.Tensor, loss: ChunkLoss, chunk_rows: int | None = None
) -> torch.Tensor:
    """The sum over rows of `loss` of the logits hidden @ weight.T; hidden [R, D], weight [V, D].

    Gradients are taken chunk by chunk in the forward pass, so no [R, V] block ever exists. R = 0
    gives a zero with a graph.
    """
    rows = chunk_rows or max(1, CHUNK_ELEMENTS // weight.shape[0])
    total: torch.Tensor = _ChunkedSum.apply(hidden, weight, loss, rows)  # type: ignore[no-untyped-call]
    return total


def logits_in_chunks(hidden: torch.Tensor, weight: torch.Tensor) -> list[tuple[slice, Callable[[], torch.Tensor]]]:
    """Slices of the rows with a function that makes their float32 logits, for scoring without a graph."""
    rows = max(1, CHUNK_ELEMENTS // weight.shape[0])
    parts = [slice(i, min(i + rows, len(hidden))) for i in range(0, len(hidden), rows)]
    return [(part, lambda part=part: _logits(hidden[part], weight)) for part in parts]  # type: ignore[misc]


def _logits(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    logits = F.linear(hidden, weight)
    return logits if logits.dtype == torch.float64 else logits.float()


class _ChunkedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, loss: ChunkLoss, chunk_rows: int) -> torch.Tensor:
        hidden_grad, weight_grad = torch.zeros_like(hidden), torch.zeros_like(weight)
        total = torch.zeros((), dtype=torch.float64 if hidden.dtype == torch.float64 else torch.float32)
        total = total.to(hidden.device)
        for start in range(0, len(hidden), chunk_rows):
            rows = slice(start, min(start + chunk_rows, len(hidden)))
            with torch.enable_grad():
                h, w = hidden[rows].detach().requires_grad_(), weight.detach().requires_grad_()
                part = loss(_logits(h, w), rows).sum()
            hidden_grad[rows], w_grad = torch.autograd.grad(part, (h, w))
            weight_grad += w_grad
            total += part.detach()
        ctx.save_for_backward(hidden_grad, weight_grad)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        hidden_grad, weight_grad = ctx.saved_tensors
        return grads[0] * hidden_grad, grads[0] * weight_grad, None, None
