"""The output head and the loss together, a few response tokens at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F

from clpd_bench.distillation.head import Head
from clpd_bench.flops.sizes import rows_of_chunk

ChunkLoss = Callable[[torch.Tensor, slice], torch.Tensor]
"""(logits [r, V] in float32 or finer, which rows of R these are) -> loss [r]."""


def chunked_sum(hidden: torch.Tensor, head: Head, loss: ChunkLoss, chunk_rows: int | None = None) -> torch.Tensor:
    """The sum over rows of `loss` of the head's logits; hidden [R, D].

    Gradients are taken chunk by chunk in the forward pass, so no [R, V] block ever exists; the head's
    own is summed in place, and not computed where its weight is frozen. To be differentiated once.
    R = 0 gives a zero with a graph.
    """
    rows = chunk_rows or rows_of_chunk(head.vocabulary, hidden.device.type)
    total: torch.Tensor = _ChunkedSum.apply(hidden, head.weight, head.bias, head, loss, rows)  # type: ignore[no-untyped-call]
    return total


def logits_in_chunks(hidden: torch.Tensor, head: Head) -> list[tuple[slice, Callable[[], torch.Tensor]]]:
    """Slices of the rows with a function that makes their float32 logits, for scoring without a graph."""
    parts = _slices(len(hidden), rows_of_chunk(head.vocabulary, hidden.device.type))
    return [(part, lambda part=part: head.logits(hidden[part])) for part in parts]  # type: ignore[misc]


def _slices(length: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, length)) for start in range(0, length, size))


class _ChunkedSum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        head: Head,
        loss: ChunkLoss,
        chunk_rows: int,
    ) -> torch.Tensor:
        # bfloat16 has 8 bits of mantissa: a sum over chunks kept in it would lose what is small beside the rest.
        sums = torch.promote_types(hidden.dtype, torch.float32)
        hidden_grad = torch.empty_like(hidden)
        weight_grad = None
        if ctx.needs_input_grad[1]:
            # The first chunk's is written, not added: zeros would be as large as the head, and there for nothing.
            weight_grad = (torch.empty_like if len(hidden) else torch.zeros_like)(weight, dtype=sums)
        bias_grad = None
        if bias is not None and ctx.needs_input_grad[2]:
            bias_grad = torch.zeros_like(bias, dtype=sums)
        total = torch.zeros((), dtype=sums, device=hidden.device)
        for rows in _slices(len(hidden), chunk_rows):
            with torch.enable_grad():
                product = F.linear(hidden[rows], weight, bias).detach().to(sums).requires_grad_()
                part = loss(head.finished(product), rows).sum()
            (gradient,) = torch.autograd.grad(part, product)
            if bias_grad is not None:
                bias_grad += gradient.sum(0)
            narrow = gradient.to(hidden.dtype)
            hidden_grad[rows] = narrow @ weight
            if weight_grad is not None:
                _add_product(weight_grad, narrow.T, hidden[rows], first=rows.start == 0)
            total += part.detach()
        ctx.save_for_backward(hidden_grad, weight_grad, bias_grad)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[torch.Tensor | None, ...]:
        hidden_grad, weight_grad, bias_grad = ctx.saved_tensors
        # In place, as a second one would be as large as the head itself.
        return (
            grads[0] * hidden_grad,
            None if weight_grad is None else weight_grad.mul_(grads[0]),
            None if bias_grad is None else bias_grad.mul_(grads[0]),
            None,
            None,
            None,
        )


def _add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor, first: bool) -> None:
    """Adds left [V, r] @ right [r, D] to total [V, D], which may be of a wider type; or puts it there, if it is the
    first."""
    if total.dtype == right.dtype:
        total.addmm_(left, right, beta=0 if first else 1)
        return
    # Of a bfloat16 weight's gradient, no more is held in bfloat16 at once than of logits.
    for slab in _slices(len(total), rows_of_chunk(right.shape[1], total.device.type)):
        if first:
            total[slab] = left[slab] @ right
        else:
            total[slab] += left[slab] @ right
