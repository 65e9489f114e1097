"""The loss alone, from hidden states to the gradients of these and of the head: ours, Liger's, TRL's.

In milliseconds, and in bytes at the peak beside what is given. The smallest number of tokens is also compared with
float64 on the same device: the loss, and both gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from on_gpu.card import allocated, forget_peak, median_seconds, peak_since, synchronize
from on_gpu.losses import (
    Loss,
    Problem,
    drawn,
    forget_given,
    liger_chunked,
    liger_jsd,
    liger_kl,
    ours_live,
    ours_top_k,
    plain,
    trl,
)
from on_gpu.results import Case, Check, Values, relative

HIDDEN, TAUGHT_HIDDEN = 1536, 2048
TOKENS, VOCABULARIES = (1024, 4096, 8192), (32_000, 128_256, 151_936)
TOLERANCE = 0.02
"""Of a gradient in bfloat16, whose rounding is 0.004: five of them."""


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    yield from _cases({"ours, live": ours_live, "ours, top 64": ours_top_k, "plain": plain}, shrunk, device)


def peers(shrunk: bool, device: str) -> Iterator[Case]:
    others = {"TRL, chunked": trl, "Liger, fused JSD": liger_jsd, "Liger, fused KL of given targets": liger_kl}
    yield from _cases(others, shrunk, device)


def compiled(shrunk: bool, device: str) -> Iterator[Case]:
    """Liger's other JSD, which torch compiles: apart, as that may take a minute. On a CPU, where it takes longer, it is
    left as it is."""
    yield from _cases({"Liger, chunked JSD": liger_chunked}, shrunk, device)


def _cases(losses: dict[str, Loss], shrunk: bool, device: str) -> Iterator[Case]:
    tokens, vocabularies = ((8, 16), (40,)) if shrunk else (TOKENS, VOCABULARIES)
    widths = (16, 24) if shrunk else (HIDDEN, TAUGHT_HIDDEN)
    for vocabulary in reversed(vocabularies):  # the one that matters most comes first
        for rows in tokens:
            for name, loss in losses.items():
                if name == "plain" and rows > tokens[0]:
                    continue
                checked = rows == tokens[0]
                run = partial(_measured, loss, rows, vocabulary, widths, checked, device)
                yield Case(f"{name}, {rows} tokens x {vocabulary}", run)


def _measured(
    loss: Loss, rows: int, vocabulary: int, widths: tuple[int, int], checked: bool, device: str
) -> tuple[Values, Check | None]:
    """Memory is what is there at the peak beside the problem: gradients, and what is needed meanwhile."""
    problem = drawn(rows, vocabulary, *widths, device)
    prepared = partial(_gradients, loss, problem)
    prepared()  # what is compiled, or made once
    before = allocated(device)
    forget_peak(device)
    prepared()
    synchronize(device)
    peak = peak_since(device, before)
    values: Values = {"ms": 1000 * median_seconds(prepared, device, least=3, most=10, budget=0.4)}
    values["peak_mib"] = None if peak is None else peak / 2**20
    check = _check(loss, problem) if checked else None
    forget_given()
    return values, check


def _gradients(loss: Loss, problem: Problem) -> tuple[torch.Tensor, ...]:
    value = loss(problem)
    return value.detach(), *torch.autograd.grad(value, (problem.hidden, problem.head))


def _check(loss: Loss, problem: Problem) -> Check:
    """Beside the definition in float64; of the stored top 64, beside itself in float64."""
    wide = Problem(
        problem.hidden.detach().double().requires_grad_(),
        problem.head.detach().double().requires_grad_(),
        problem.taught.double(),
        problem.teacher.double(),
        problem.labels,
    )
    reference = _gradients(ours_top_k if loss is ours_top_k else plain, wide)
    return Check(max(map(relative, _gradients(loss, problem), reference)), TOLERANCE)
