"""Forecasts of docs/cost.md beside what is measured, where the steps of the other parts do not tell: a step in float32
of several micro-batches, targets, scores. Each with its ratio, measured by forecast."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ours import split
from workload import PAD, Workload, model

from clpd_bench.costs.memory import Held, reading, score_blocks, target_blocks
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.targets import write_targets
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.flops.passes import forward, total
from clpd_bench.flops.sizes import HALF
from clpd_bench.settings.parts.loss import TargetsSettings
from on_gpu.card import allocated, forget_peak, peak_since, synchronize
from on_gpu.results import Case, Values
from on_gpu.sizes import TOP_K, dimensions, half_b, hours, memory, read_of
from on_gpu.step import measured


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    whole = half_b(shrunk)
    parts = replace(whole, micro_batch_tokens=whole.micro_batch_tokens // 4)
    yield Case("0.5B cross_entropy, four micro-batches", partial(measured, parts, "cross_entropy", False, device))
    in_float32 = partial(measured, parts, "cross_entropy", False, device, "float32")
    yield Case("0.5B cross_entropy, four micro-batches, float32", in_float32)
    yield Case(f"teacher's targets, top {TOP_K}, bfloat16", partial(_targets, whole, device))
    yield Case("teacher's scores, bfloat16", partial(_scores, whole, device))


def _targets(workload: Workload, device: str) -> tuple[Values, None]:
    kept, tokens = TargetsSettings(top_k=TOP_K), Vocabulary(workload.vocabulary, PAD)

    def work(teacher: Any, shown: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            padded = workload.micro_batch_tokens
            write_targets(teacher, shown, kept, padded, tokens, Path(folder), lambda done, of: None)

    return _pass(workload, work, target_blocks(kept.temperatures), device)


def _scores(workload: Workload, device: str) -> tuple[Values, None]:
    tokens = Vocabulary(workload.vocabulary, PAD)

    def work(teacher: Any, shown: Any) -> None:
        score(teacher, shown, workload.micro_batch_tokens, tokens)

    return _pass(workload, work, score_blocks(HALF), device)


def _pass(workload: Workload, work: Callable[[Any, Any], None], blocks: int, device: str) -> tuple[Values, None]:
    """The second of two, of a pass without gradients."""
    before = allocated(device)
    teacher, shown = model(workload.teacher, workload.vocabulary, "bfloat16", device).eval(), split(workload.batch())
    work(teacher, shown)
    synchronize(device)
    forget_peak(device)
    began = time.perf_counter()
    work(teacher, shown)
    synchronize(device)
    seconds, peak = time.perf_counter() - began, peak_since(device, before)
    held = Held(dimensions(workload.teacher, workload.vocabulary), HALF)
    read, largest = read_of(workload, workload.micro_batch_tokens)
    flops = total(forward(held.dimensions, workload.vocabulary, read, ""))
    return {**memory(peak, reading(held, workload.vocabulary, largest, blocks)), **hours(seconds, flops, device)}, None
