"""A small student, its teachers and a batch, the same on every device; and runs of the training loop on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ours import split
from workload import PAD, Size, Workload, model

from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss, backward
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.precision import TrainedParameters
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.train import Record, train
from clpd_bench.distillation.validation import ValidationChecks
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.settings.parts.training import Training
from on_gpu import sizes

SMALL = Workload(
    vocabulary=8192,  # several chunks of logits
    student=Size(hidden=256, intermediate=512, layers=3, heads=8, kv_heads=4, head_size=32),
    teacher=Size(hidden=384, intermediate=512, layers=3, heads=8, kv_heads=4, head_size=48),
    rows=8,
    prompt=100,
    response=160,  # rows of several blocks of an attention kernel
    spread=40,
    micro_batch_tokens=2048,
)
TINY = replace(sizes.TINY, vocabulary=60, rows=6, prompt=10, response=14, spread=4, micro_batch_tokens=64)


def small(shrunk: bool) -> Workload:
    return TINY if shrunk else SMALL


@cache
def _weights(size: Size, vocabulary: int, seed: int) -> dict[str, torch.Tensor]:
    """Made on the CPU, so that every device gets the same; numbers that bfloat16 has, so that every precision does.

    Larger than LlamaConfig's own by as much as makes logits differ between tokens.
    """
    made = model(size, vocabulary)
    generator = torch.Generator().manual_seed(seed)
    return {
        key: (torch.randn(w.shape, generator=generator) * size.hidden**-0.5 if w.ndim == 2 else w).bfloat16().float()
        for key, w in made.state_dict().items()
    }


def reader(size: Size, vocabulary: int, device: str, dtype: str = "float32", seed: int = 0) -> Any:
    """A model of the same weights wherever it is, in whatever precision."""
    made = model(size, vocabulary)
    made.load_state_dict(_weights(size, vocabulary, seed))
    return made.to(device=device, dtype=getattr(torch, dtype))


@dataclass(frozen=True)
class Step:
    """A step's loss, and its gradients by the name of the parameter."""

    value: float
    gradients: dict[str, torch.Tensor]


def one_step(student: Any, workload: Workload, loss: dict[str, Any], teachers: list[Any] | None) -> Step:
    """Of one batch in the student's own precision; who supervises goes around, nobody among them."""
    trained = TrainedParameters(student, training(precision=_precision(student)))
    taught = np.arange(workload.rows) % (len(teachers or ()) + 1)
    tokens = Vocabulary(workload.vocabulary, PAD)
    batches = ScheduledBatches(
        student,
        split(workload.batch()),
        schedule(workload, 1, taught),
        teachers,
        tokens,
        Streams(0),
        workload.micro_batch_tokens,
    )
    value, _ = backward(BatchLoss(student, loss, tokens), batches.at(1))
    return Step(float(value), {key: p.grad.detach().clone() for key, p in trained.masters.items()})


def _precision(student: Any) -> str:
    return "bfloat16" if student.dtype == torch.bfloat16 else "float32"


def training(**settings: Any) -> Training:
    return Training(**{"steps": 1, "learning_rate": 1e-3, **settings})


def schedule(workload: Workload, steps: int, taught: Any) -> Schedule:
    """All rows in each step."""
    return Schedule(
        split(workload.batch()).ids,
        np.tile(np.arange(workload.rows), steps),
        np.repeat(np.arange(1, steps + 1), workload.rows),
        np.tile(taught, steps),
        np.ones(steps, dtype=np.int64),
    )


def trained(
    workload: Workload,
    device: str,
    folder: Path,
    tick: Callable[[], None] = lambda: None,
    dropout: float = 0.0,
    **settings: Any,
) -> tuple[Any, Record]:
    """A student after a run of the training loop under a live teacher; goes on from checkpoints in the folder.

    Args:
        tick: called after each step, before its checkpoint.
        dropout: of attention.
        settings: of `Training`.
    """
    student = reader(workload.student, workload.vocabulary, device)
    teacher = reader(workload.teacher, workload.vocabulary, device, seed=1)
    for module in student.modules():
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = dropout
    tokens, wanted, shown = Vocabulary(workload.vocabulary, PAD), training(**settings), split(workload.batch())
    teachers = [LiveTeacher(teacher, tokens.size, 1.0)]
    ones = np.ones(workload.rows, dtype=np.int64)
    steps = wanted.steps or 1
    batches = ScheduledBatches(
        student, shown, schedule(workload, steps, ones), teachers, tokens, Streams(0), workload.micro_batch_tokens
    )
    record = train(
        BatchLoss(student, {"name": "forward_kl"}, tokens),
        batches,
        wanted,
        ValidationChecks(student, split(workload.batch()[:1]), wanted, tokens),
        Context(folder, progress=lambda done, of: tick()),
    )
    return student, record
