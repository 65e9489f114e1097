"""The step that `clpd_bench.distillation.train` does in a job, its checkpoints left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import Run
from workload import PAD, Rows, Workload, model

SUPERVISIONS = ("cross_entropy", "stored", "live")


def ours(workload: Workload, supervision: str, steps: int, folder: Path, device: str = "cpu", **training: Any) -> Run:
    """Args:
    supervision: by nobody, by stored top-64 targets, or by a teacher that reads along.
    training: settings of `Training` (`precision`, `activation_checkpointing`).
    """
    import torch

    from clpd_bench.curriculum.schedule import Schedule
    from clpd_bench.curriculum.streams import Streams
    from clpd_bench.distillation.batch_loss import BatchLoss
    from clpd_bench.distillation.context import Context
    from clpd_bench.distillation.live import LiveTeacher
    from clpd_bench.distillation.scheduled import ScheduledBatches
    from clpd_bench.distillation.targets import read_targets, write_targets
    from clpd_bench.distillation.train import train
    from clpd_bench.distillation.validation import ValidationChecks
    from clpd_bench.distillation.vocabulary import Vocabulary
    from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl, TargetsSettings
    from clpd_bench.settings.parts.training import Training

    shown, tokens = split(workload.batch()), Vocabulary(workload.vocabulary, PAD)
    settings = Training(
        steps=steps,
        learning_rate=1e-4,
        micro_batch_tokens=workload.micro_batch_tokens,
        checkpoint_seconds=1e9,
        **training,
    )
    teachers: list[Any] = []
    if supervision != "cross_entropy":
        taught_in = settings.precision if supervision == "live" else "float32"
        teacher = model(workload.teacher, workload.vocabulary, taught_in, device)
        if supervision == "live":
            teachers = [LiveTeacher(teacher, tokens.size, 1.0)]
        else:
            kept = TargetsSettings(top_k=64)
            write_targets(teacher, shown, kept, workload.micro_batch_tokens, tokens, folder, lambda done, of: None)
            teachers = [read_targets(folder, shown, 1.0)]
            del teacher
    student = model(workload.student, workload.vocabulary, device=device)
    schedule = Schedule(
        shown.ids,
        np.tile(np.arange(workload.rows), steps),
        np.repeat(np.arange(1, steps + 1), workload.rows),
        np.full(workload.rows * steps, min(1, len(teachers))),
        np.ones(steps, dtype=np.int64),
    )
    loss = ForwardKl(name="forward_kl") if teachers else CrossEntropy(name="cross_entropy")

    def run(tick: Callable[[], None]) -> None:
        def step_done(done: int, of: int) -> None:
            if device == "cuda":
                torch.cuda.synchronize()
            tick()

        train(
            BatchLoss(student, loss, tokens),
            ScheduledBatches(student, shown, schedule, teachers, tokens, Streams(0), settings.micro_batch_tokens),
            settings,
            ValidationChecks(student, split(workload.batch()[:1]), settings, tokens),
            Context(folder / "checkpoints", progress=step_done),
        )

    return run


def split(rows: Rows) -> Any:
    """The rows as a corpus has them."""
    import pyarrow as pa

    from clpd_bench.corpus.reader import Ragged, Split

    def ragged(lists: list[list[int]]) -> Ragged:
        ends = np.cumsum([0, *map(len, lists)])
        return Ragged(np.concatenate(lists).astype(np.int32), ends.astype(np.int64))

    ids = np.array([f"{i:02}" for i in range(len(rows))])
    return Split(ids, ragged([p for p, _ in rows]), ragged([r for _, r in rows]), pa.table({"id": ids}))
