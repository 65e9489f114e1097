"""The training loop, for teachers, pretrained starts and students alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.curriculum.schedule import ConsumedHash, Schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation import checkpoints
from clpd_bench.distillation.batches import MicroBatch, micro_batches
from clpd_bench.distillation.checkpoints import KeptModels
from clpd_bench.distillation.chunked import chunked_sum
from clpd_bench.distillation.divergences import OwnLoss, TargetRows, token_loss
from clpd_bench.distillation.head import head_of
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.models import draws_in_training, hidden_states, length_boundaries
from clpd_bench.distillation.precision import TrainedParameters
from clpd_bench.distillation.targets import Targets
from clpd_bench.distillation.validation import ValidationChecks, can_go_on
from clpd_bench.errors import Interrupted, UserError
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.parts.training import Training

Supervise = Callable[[slice], tuple[TargetRows | None, torch.Tensor | None]]


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


class Diverged(Exception):
    """The loss or its gradient is no finite number; says at which step, in which stage, by which
    teachers, on what. The model is as it was before that step, and so is `record`."""

    def __init__(self, message: str, record: Record) -> None:
        super().__init__(message)
        self.record = record


@dataclass(frozen=True)
class Surroundings:
    """What a run may ask of its surroundings.

    Attributes:
        checkpoints: folder for this run's own checkpoints.
        earlier: folders with checkpoints of earlier runs of the same thing.
        kept: where models on the way go (`Training.keep_steps`, and that of the best check).
        should_stop: whether to write a checkpoint and leave.
        progress: called with (step, steps) after each step.
        checkpointed: called after each checkpoint.
    """

    checkpoints: Path
    earlier: list[Path] = field(default_factory=list)
    kept: KeptModels | None = None
    should_stop: Callable[[], bool] = lambda: False
    progress: Callable[[int, int], None] = lambda done, total: None
    checkpointed: Callable[[], None] = lambda: None


def train(
    model: PreTrainedModel,
    train_split: Split,
    validation_split: Split,
    schedule: Schedule,
    training: Training,
    loss: CrossEntropy | ForwardKl | OwnLoss,
    targets: list[Targets | LiveTeacher],
    streams: Streams,
    pad_id: int,
    vocabulary: int,
    surroundings: Surroundings,
) -> Record:
    """Trains `model` in place through the schedule, or from the newest checkpoint on.

    Args:
        targets: stored, or live teachers, from the weakest teacher (the schedule's 1) to the strongest.
        vocabulary: the tokens that there are; what the model's head has beyond them is padding.

    Raises:
        Diverged, Interrupted, StopNotReached.
        ValueError: targets over another vocabulary, or none of a teacher.
        UserError: a step is to be kept that the run does not have.
    """
    for t in targets:
        if t.vocabulary_size != vocabulary:
            raise ValueError(f"targets over {t.vocabulary_size} tokens cannot teach a model over {vocabulary}")
    if not isinstance(loss, CrossEntropy) and schedule.teacher.max() > len(targets):
        raise ValueError(f"the schedule has teacher {schedule.teacher.max()}, and there are {len(targets)} targets")
    if training.keep_steps and training.keep_steps[-1] > schedule.steps:
        raise UserError(
            f"step {training.keep_steps[-1]} is to be kept of a run of {schedule.steps} steps",
            key="training.keep_steps",
            fix="Keep earlier steps, or allow more of them (epochs, a larger corpus)",
        )
    draws = draws_in_training(model)
    trained = TrainedParameters(model, training)
    if training.activation_checkpointing:
        model.activation_checkpointing_enable()
    optimizer = torch.optim.AdamW(
        trained.masters.values(), lr=training.learning_rate, betas=training.betas, weight_decay=training.weight_decay
    )
    record, done = Record(), 0
    found = checkpoints.restore_newest(
        [surroundings.checkpoints, *surroundings.earlier],
        trained.masters,
        optimizer,
        # A model that was to be kept and is gone is come by once more.
        lambda checkpoint: surroundings.kept is None or can_go_on(checkpoint, training, surroundings.kept),
    )
    if found:
        trained.write_back()
        record, done = Record(**found.state), found.step
    record.dropout = draws
    model.train()
    checks = ValidationChecks(
        model, validation_split, training, record.validation, surroundings.kept, pad_id, vocabulary
    )
    saved_at, saved_step = time.monotonic(), done
    for step, examples, teachers in schedule.batches(after=done):
        # Every step has its own stream, also for a loss of the user's own, so a resumed run needs no generator state.
        torch.manual_seed(streams.seed_of("dropout", step))
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate_at(step, schedule.steps)
        dropout = partial(streams.seed_of, "dropout", step) if record.dropout else None
        value, consumed = _step(
            model, train_split, examples, teachers, training, loss, targets, pad_id, vocabulary, dropout
        )
        norm = float(torch.nn.utils.clip_grad_norm_(trained.masters.values(), training.clip))
        for what, number in (("loss", value), ("gradient's norm", norm)):
            if not math.isfinite(number):
                where = _where(step, schedule, train_split, examples, teachers)
                raise Diverged(f"the {what} is {number} {where}", record)
        optimizer.step()
        trained.write_back()
        optimizer.zero_grad(set_to_none=True)
        running = ConsumedHash(record.consumed)
        running.update(step, train_split.ids[examples[consumed]], teachers[consumed])
        record.consumed = running.state
        record.loss.append(value)
        record.tokens += int(train_split.tokens[examples].sum())
        record.response_tokens += int(train_split.responses.lengths[examples].sum())
        surroundings.progress(step, schedule.steps)
        if checks.after(step):
            return record
        leaving = surroundings.should_stop() and step < schedule.steps
        if leaving or time.monotonic() - saved_at >= training.checkpoint_seconds:
            if step > saved_step:
                checkpoints.save(surroundings.checkpoints, step, trained.masters, optimizer, vars(record))
                checks.checkpointed()
                surroundings.checkpointed()
            saved_at, saved_step = time.monotonic(), step
        if leaving:
            raise Interrupted(f"stopped after step {step} of {schedule.steps}")
    checks.end(schedule.steps)
    return record


def _step(
    model: PreTrainedModel,
    split: Split,
    examples: NDArray[np.int64],
    teachers: NDArray[np.int64],
    training: Training,
    loss: CrossEntropy | ForwardKl | OwnLoss,
    targets: list[Targets | LiveTeacher],
    pad_id: int,
    vocabulary: int,
    dropout: Callable[[int], int] | None = None,
) -> tuple[float, NDArray[np.int64]]:
    """Gradients of one global batch: the sum over all its response tokens by their number.

    Args:
        dropout: (place in the batch) -> seed of what the model draws for that presentation. Where it is given, each
            is a micro-batch of its own: what is drawn then knows nothing of how the batch is sliced.

    Returns the loss, and the places in the batch that the micro-batches went through.
    """
    head = head_of(model, vocabulary)
    normaliser = int(split.responses.lengths[examples].sum())
    total, consumed = torch.zeros((), dtype=torch.float64, device=model.device), []
    readers = [model, *(teacher.model for teacher in targets if isinstance(teacher, LiveTeacher))]
    boundaries = {length for reader in readers for length in length_boundaries(reader)}
    padded_tokens = 1 if dropout else training.micro_batch_tokens
    for batch in micro_batches(split, examples, padded_tokens, pad_id, model.device, boundaries):
        if dropout:
            torch.manual_seed(dropout(int(batch.places[0])))
        hidden = hidden_states(model, batch.input_ids)[batch.row, batch.column]

        supervision = _supervision(batch, teachers, targets)

        def chunk(
            logits: torch.Tensor, part: slice, b: MicroBatch = batch, said: Supervise = supervision
        ) -> torch.Tensor:
            return token_loss(loss, logits, b.labels[part], *said(part))

        share = chunked_sum(hidden, head, chunk) / normaliser
        share.backward()  # type: ignore[no-untyped-call]
        total += share.detach()
        consumed.append(batch.places)
    return float(total), np.sort(np.concatenate(consumed))


def _supervision(batch: MicroBatch, teachers: NDArray[np.int64], targets: list[Targets | LiveTeacher]) -> Supervise:
    """(chunk of the batch's response tokens) -> what their teachers say, each from that of its presentation,
    and which of the chunk's tokens it belongs to (None: all). Teacher 0 is nobody."""
    by_row = torch.from_numpy(teachers[batch.places])
    by_token, device = by_row[batch.row.cpu()], batch.labels.device
    rows_of = {m: targets[m - 1].rows_of(batch, by_row == m) for m in _present(by_row)} if targets else {}

    def rows(part: slice) -> tuple[TargetRows | None, torch.Tensor | None]:
        here = by_token[part]
        supervisors = _present(here) if rows_of else []
        if not supervisors:
            return None, None
        taught = (here > 0).nonzero().squeeze(-1)
        here = here[taught]
        of_each = [(here == m).nonzero().squeeze(-1) for m in supervisors]
        said = [rows_of[m](part.start + taught[mine]) for m, mine in zip(supervisors, of_each, strict=True)]
        both = said[0] if len(said) == 1 else _in_order(said, torch.cat(of_each).argsort().to(device))
        return both, None if len(taught) == part.stop - part.start else taught.to(device)

    return rows


def _present(teachers: torch.Tensor) -> list[int]:
    return sorted(set(teachers[teachers > 0].tolist()))


def _in_order(said: list[TargetRows], order: torch.Tensor) -> TargetRows:
    """One after the other, then taken in this order."""
    ids = [rows.ids for rows in said if rows.ids is not None]
    return TargetRows(
        torch.cat(ids)[order] if ids else None,
        torch.cat([rows.logits for rows in said])[order],
        torch.cat([rows.log_z for rows in said])[order],
    )


def _where(
    step: int, schedule: Schedule, split: Split, examples: NDArray[np.int64], teachers: NDArray[np.int64]
) -> str:
    taught = ", ".join(f"teacher {t}" if t else "no teacher" for t in sorted(set(teachers.tolist())))
    ids = " ".join(split.ids[examples][:8])
    return (
        f"at step {step} of {schedule.steps}, stage {schedule.stage[step - 1]}, {taught}; "
        f"examples {ids}{' ...' if len(examples) > 8 else ''}"
    )
