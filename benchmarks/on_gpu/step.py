"""Whole steps in bfloat16 with float32 masters: tokens a second, utilisation, memory; and TRL's of the same batch.

Utilisation is the FLOPs of `clpd_bench.flops.passes` (a live teacher's pass among them, what is computed again for
activation checkpointing not) a second, by what a product of matrices reaches on the card, and by its datasheet.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from ours import SUPERVISIONS, ours
from peers import Run, gkd
from workload import Workload

from clpd_bench.settings.parts.training import Training
from on_gpu.card import (
    GIB,
    allocated,
    forget_peak,
    peak_since,
    synchronize,
)
from on_gpu.results import Case, Values
from on_gpu.sizes import flops_of, half_b, hours, memory, one_and_a_half_b, step_peak, utilisation

TIMED = 3
GKD_ROWS = 8
"""Of a forward pass: all logits of 32 rows over 152 thousand tokens do not fit beside what is made of them."""


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    workload = half_b(shrunk)
    yield from _ours("0.5B", workload, device)
    yield Case("0.5B live, kernels that add as they come", partial(_in_any_order, workload, device))


def large(shrunk: bool, device: str) -> Iterator[Case]:
    yield from _ours("1.5B", one_and_a_half_b(shrunk), device)


def peer(shrunk: bool, device: str) -> Iterator[Case]:
    for recomputed in (False, True):
        for name, workload in (("0.5B", half_b(shrunk)), ("1.5B", one_and_a_half_b(shrunk))):
            said = f"{name} GKDTrainer live{_said(recomputed)}"
            yield Case(said, partial(_gkd, workload, recomputed, device))


def _ours(name: str, workload: Workload, device: str) -> Iterator[Case]:
    for recomputed in (False, True):
        for supervision in SUPERVISIONS:
            said = f"{name} {supervision}{_said(recomputed)}"
            yield Case(said, partial(measured, workload, supervision, recomputed, device))


def _said(recomputed: bool) -> str:
    return ", activation checkpointing" if recomputed else ""


def measured(
    workload: Workload, supervision: str, recomputed: bool, device: str, precision: str = "bfloat16"
) -> tuple[Values, None]:
    """With the forecasts of its memory and its time."""
    settings: dict[str, Any] = {"precision": precision, "activation_checkpointing": recomputed}

    def made(folder: Path) -> Run:
        return ours(workload, supervision, TIMED + 1, folder, device, **settings)

    seconds, peak = _timed(made, device)
    training = Training(steps=1, learning_rate=1e-4, micro_batch_tokens=workload.micro_batch_tokens, **settings)
    forecast = memory(peak, step_peak(workload, supervision, training))
    took = hours(seconds, flops_of(workload, supervision, recomputed), device, precision)
    return {**_speed(workload, supervision, seconds, device, precision), **forecast, **took}, None


def _in_any_order(workload: Workload, device: str) -> tuple[Values, None]:
    """What it costs that a job computes the same twice."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        return measured(workload, "live", False, device)
    finally:
        torch.use_deterministic_algorithms(before, warn_only=True)


def _gkd(workload: Workload, recomputed: bool, device: str) -> tuple[Values, None]:
    at_once = min(GKD_ROWS, workload.rows)
    settings = {
        "bf16": True,
        "use_cpu": device == "cpu",
        "dataloader_pin_memory": device == "cuda",
        "gradient_checkpointing": recomputed,
        "per_device_train_batch_size": at_once,
        "gradient_accumulation_steps": workload.rows // at_once,
    }
    seconds, peak = _timed(lambda folder: gkd(workload, TIMED + 1, folder, **settings), device)
    values = _speed(workload, "live", seconds, device)
    return {
        **values,
        "peak_gib": None if peak is None else peak / GIB,
        "seconds": seconds,
        "rows_at_once": at_once,
    }, None


def _timed(made: Callable[[Path], Run], device: str) -> tuple[float, int | None]:
    """(median seconds, bytes at the peak) of the last `TIMED` steps."""
    ticks: list[float] = []
    peaks: list[int | None] = []
    before = allocated(device)

    def tick() -> None:
        synchronize(device)
        ticks.append(time.perf_counter())
        peaks.append(peak_since(device, before))
        forget_peak(device)

    with tempfile.TemporaryDirectory() as folder:
        made(Path(folder))(tick)
    took = [later - earlier for earlier, later in pairwise(ticks)]
    known = [peak for peak in peaks[-TIMED:] if peak is not None]
    return statistics.median(took[-TIMED:]), max(known, default=None)


def _speed(workload: Workload, supervision: str, seconds: float, device: str, precision: str = "bfloat16") -> Values:
    rate = flops_of(workload, supervision, recomputed=False) / seconds
    return {"tokens_per_second": workload.tokens / seconds, **utilisation(rate, device, precision)}
