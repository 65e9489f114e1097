"""The training loop, for teachers, pretrained starts and students alike."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from clpd_bench.curriculum.schedule import ConsumedHash
from clpd_bench.distillation import checkpoints
from clpd_bench.distillation.batch_loss import BatchLoss, backward
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.precision import TrainedParameters
from clpd_bench.distillation.scheduled import Batches, GlobalBatch
from clpd_bench.distillation.validation import ValidationChecks
from clpd_bench.errors import Interrupted
from clpd_bench.settings.parts.training import Training


@dataclass
class Record:
    """What a run leaves beside its weights.

    Attributes:
        loss: the training loss of each step.
        validation: scores on the validation split, each with its step.
        consumed: `ConsumedHash` of all consumed presentations.
        tokens, response_tokens: presented so far.
        dropout: whether the model draws random numbers in training, and so has one presentation a micro-batch.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    consumed: str = "0" * 64
    tokens: int = 0
    response_tokens: int = 0
    dropout: bool = False

    def add(self, loss: float, batch: GlobalBatch, places: NDArray[np.int64]) -> None:
        """A step that was taken, and which of its presentations went through it."""
        running = ConsumedHash(self.consumed)
        running.update(*batch.shown(places))
        self.consumed = running.state
        self.loss.append(loss)
        self.tokens += batch.tokens
        self.response_tokens += batch.response_tokens


class Diverged(Exception):
    """The loss or its gradient is no finite number; says at which step, in which stage, by which
    teachers, on what. The model is as it was before that step, and so is `record`."""

    def __init__(self, message: str, record: Record) -> None:
        super().__init__(message)
        self.record = record


def train(loss: BatchLoss, batches: Batches, training: Training, checks: ValidationChecks, context: Context) -> Record:
    """Trains the model of `loss` in place through all batches, or from the newest checkpoint on.

    Raises:
        Diverged, Interrupted, StopNotReached.
    """
    model, record, done = loss.model, Record(dropout=batches.draws), 0
    trained = TrainedParameters(model, training)
    optimizer = trained.optimizer(training)
    if training.activation_checkpointing:
        # Whose name in transformers 5.17, the oldest that will do, is the second.
        (getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable)()
    folders = [context.checkpoints, *context.earlier]
    found = checkpoints.restore_newest(folders, trained.masters, optimizer, checks.can_go_on)
    if found:
        trained.write_back()
        record, done = Record(**{**found.state, "dropout": batches.draws}), found.step
    model.train()
    checks.begin(record.validation)
    saved_at, saved_step = time.monotonic(), done
    for step in range(done + 1, batches.steps + 1):
        batch = batches.at(step)
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate_at(step, batches.steps)
        value, places = backward(loss, batch)
        norm = torch.nn.utils.clip_grad_norm_(trained.masters.values(), training.clip)
        # Asked for once: all else of a step is queued on a GPU without a word from it.
        step_loss, gradient_norm = torch.stack([value, norm.to(value.dtype)]).tolist()
        _require_finite(step_loss, gradient_norm, batch, record)
        optimizer.step()
        trained.write_back()
        optimizer.zero_grad(set_to_none=True)
        record.add(step_loss, batch, places)
        context.progress(step, batches.steps)
        if checks.after(step):
            return record
        leaving = context.should_stop() and step < batches.steps
        if leaving or time.monotonic() - saved_at >= training.checkpoint_seconds:
            if step > saved_step:
                checkpoints.save(context.checkpoints, step, trained.masters, optimizer, vars(record))
                checks.checkpointed()
                context.checkpointed()
            saved_at, saved_step = time.monotonic(), step
        if leaving:
            raise Interrupted(f"stopped after step {step} of {batches.steps}")
    checks.end(batches.steps)
    return record


def _require_finite(loss: float, norm: float, batch: GlobalBatch, record: Record) -> None:
    for what, number in (("loss", loss), ("gradient's norm", norm)):
        if not math.isfinite(number):
            raise Diverged(f"the {what} is {number} {_where(batch)}", record)


def _where(batch: GlobalBatch) -> str:
    moment = batch.moment
    taught = ", ".join(f"teacher {t}" if t else "no teacher" for t in sorted(set(batch.teachers.tolist())))
    return (
        f"at step {moment.step} of {moment.steps}, stage {moment.stage}, {taught}; "
        f"examples {' '.join(batch.ids[:8])}{' ...' if len(batch.ids) > 8 else ''}"
    )
