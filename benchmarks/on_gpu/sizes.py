"""Students and teachers of whole steps: shapes of Qwen2.5's, with random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from ours import split
from workload import Size, Workload

from clpd_bench.costs.memory import Held, Peak
from clpd_bench.costs.memory_training import Step, training_step
from clpd_bench.flops.passes import forward, total
from clpd_bench.flops.passes import training as training_terms
from clpd_bench.flops.sizes import HALF, rows_of_chunk
from clpd_bench.flops.tokens import Largest, Read, read_in_batches
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.parts.training import Training
from on_gpu.card import GIB, datasheet_peak, matmul_peak, ratio
from on_gpu.results import Values

TOP_K = 64
UTILISATION = 0.35
"""What hours are reckoned with until a site says otherwise (docs/cost.md)."""
QWEN = 151_936
HALF_B = Size(hidden=896, intermediate=4864, layers=24, heads=14, kv_heads=2, head_size=64)
ONE_B = Size(hidden=1280, intermediate=6912, layers=28, heads=20, kv_heads=4, head_size=64)
ONE_AND_A_HALF_B = Size(hidden=1536, intermediate=8960, layers=28, heads=12, kv_heads=2, head_size=128)
THREE_B = Size(hidden=2048, intermediate=11008, layers=36, heads=16, kv_heads=2, head_size=128)
TEXTS = {"rows": 32, "prompt": 150, "response": 350, "spread": 25, "micro_batch_tokens": 32 * 530}
"""A batch is one micro-batch."""
TINY = Workload(
    vocabulary=100,
    student=Size(hidden=32, intermediate=48, layers=2, heads=4, kv_heads=2, head_size=8),
    teacher=Size(hidden=48, intermediate=48, layers=2, heads=4, kv_heads=2, head_size=12),
    rows=4,
    prompt=8,
    response=12,
    spread=2,
    micro_batch_tokens=4 * 24,
)


def half_b(shrunk: bool) -> Workload:
    return TINY if shrunk else Workload(QWEN, HALF_B, ONE_B, **TEXTS)


def one_and_a_half_b(shrunk: bool) -> Workload:
    return TINY if shrunk else Workload(QWEN, ONE_AND_A_HALF_B, THREE_B, **TEXTS)


def dimensions(size: Size, vocabulary: int) -> Dimensions:
    return Dimensions(
        model_type="llama",
        hidden_size=size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        head_dim=size.head_size,
        intermediate_size=size.intermediate,
        vocab_size=vocabulary,
        tie_word_embeddings=True,
        source="workload.model",
    )


def read_of(workload: Workload, padded: int) -> tuple[Read, Largest]:
    """What a pass over a batch reads, and the largest of its micro-batches."""
    shown = split(workload.batch())
    lengths = shown.tokens, shown.responses.lengths
    return read_in_batches(*lengths, [np.arange(workload.rows)], padded)


def flops_of(workload: Workload, supervision: str, recomputed: bool) -> float:
    """Of a step, a live teacher's pass with it."""
    read, _ = read_of(workload, workload.micro_batch_tokens)
    student, teacher = (dimensions(size, workload.vocabulary) for size in (workload.student, workload.teacher))
    flops = total(training_terms(student, workload.vocabulary, read, "", recomputed, head_is_frozen=False))
    return flops + (total(forward(teacher, workload.vocabulary, read, "")) if supervision == "live" else 0)


def step_peak(workload: Workload, supervision: str, training: Training) -> Peak:
    """The forecast of a step's memory."""
    _, largest = read_of(workload, training.micro_batch_tokens)
    loss: Any = CrossEntropy(name="cross_entropy")
    if supervision != "cross_entropy":
        loss = ForwardKl(name="forward_kl")
    several = largest.responses > rows_of_chunk(workload.vocabulary, "cuda")
    blocks = loss.logit_blocks(TOP_K if supervision == "stored" else None, several)
    step = Step(training.precision == "bfloat16", training.activation_checkpointing, False, blocks)
    student, teacher = (dimensions(size, workload.vocabulary) for size in (workload.student, workload.teacher))
    width = HALF if training.precision == "bfloat16" else 2 * HALF
    live = [Held(teacher, width)] if supervision == "live" else []
    return training_step(student, workload.vocabulary, largest, step, live)


def memory(measured: int | None, forecast: Peak) -> Values:
    peak = None if measured is None else measured / GIB
    return {
        "peak_gib": peak,
        "forecast_gib": forecast.bytes / GIB,
        "peak_by_forecast": ratio(peak, forecast.bytes / GIB),
        "forecast_peak": forecast.at,
    }


def hours(seconds: float, flops: float, device: str, precision: str = "bfloat16") -> Values:
    """The forecast's rate is that of the datasheet, where the card has one here, or else the measured product's."""
    forecast = flops / (UTILISATION * (_datasheet(device, precision) or matmul_peak(device, precision)))
    return {"seconds": seconds, "forecast_seconds": forecast, "seconds_by_forecast": ratio(seconds, forecast)}


def utilisation(rate: float, device: str, precision: str = "bfloat16") -> Values:
    """Of FLOPs a second."""
    return {
        "tflops": rate / 1e12,
        "mfu_of_measured_peak": rate / matmul_peak(device, precision),
        "mfu_of_datasheet": ratio(rate, _datasheet(device, precision)),
    }


def _datasheet(device: str, precision: str) -> float | None:
    return datasheet_peak(device) if precision == "bfloat16" else None
