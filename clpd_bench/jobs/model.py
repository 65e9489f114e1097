"""model: an initial model, trained through a schedule. Teachers, pretrained starts and students alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.corpus.reader import Split, read_difficulty, read_split
from clpd_bench.curriculum.schedule import build_schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss
from clpd_bench.distillation.checkpoints import KeptModels
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.devices import device
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.models import new_model, save_model
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.supervisors import Teacher
from clpd_bench.distillation.targets import read_targets
from clpd_bench.distillation.train import Diverged, Record, train
from clpd_bench.distillation.training_flops import training_flops
from clpd_bench.distillation.validation import ValidationChecks, best_check, validation_scores, why_stopped
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.errors import UserError
from clpd_bench.jobs.body import Measured
from clpd_bench.jobs.reader import load_reader
from clpd_bench.jobs.untrained import as_of_step, brought_in, with_fewer_layers
from clpd_bench.settings.parts.loss import CrossEntropy
from clpd_bench.settings.parts.training import BestValidation, Training
from clpd_bench.settings.specs import ModelSpec, Supervision


def save_result(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    kept: KeptModels,
    training: Training,
    record: Record,
    out: Path,
) -> dict[str, Any]:
    """Saves `training.checkpoint`'s model of a run that has ended, after however many steps.

    A run that diverged has ended before the step that failed: its last model is that of the step before, and
    its best check one of those up to there.

    Args:
        model: as it is at the end.
        record: with a check at the end.

    Returns:
        `chosen`: what the check at the model saw, where it was chosen by one.
    """
    steps, wanted = len(record.loss), training.checkpoint
    best = best_check(record.validation, wanted, steps) if isinstance(wanted, BestValidation) else None
    if best is None or best["step"] == steps:
        save_model(model, tokenizer, out)
    else:
        kept.copy(int(best["step"]), out)
    return {} if best is None else {"chosen": best}


def save_kept_steps(kept: KeptModels, training: Training, steps: int, diverged: bool, out: Path) -> None:
    """Puts `training.keep_steps` of a run of `steps` steps into `out`; of one that diverged, those that it has.

    Raises:
        UserError: the run was stopped before one of them.
    """
    for step in training.keep_steps:
        if step > steps and not diverged:
            raise UserError(
                f"the run stopped after step {steps}, and step {step} was to be kept",
                key="training.keep_steps",
                fix=f"Keep earlier steps, or leave `{'stop' if training.stop else 'early_stopping'}` out",
            )
        if step <= steps:
            kept.copy(step, out / "steps" / str(step))


def run(spec: ModelSpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    if spec.start is not None:
        return brought_in(spec.start, out)
    if spec.keep_layers is not None:
        return with_fewer_layers(spec.keep_layers, inputs, out)
    if spec.step is not None:
        return as_of_step(spec.step, inputs, out)
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    model = _initial(spec, inputs, tokenizer)
    if spec.training is None or spec.supervision is None:
        save_model(model, tokenizer, out)
        return Measured(details={"parameters": model.num_parameters()})
    split, validation = (read_split(inputs["corpus"], name) for name in ("train", "validation"))
    difficulty = read_difficulty(inputs["difficulty"], "train") if "difficulty" in inputs else None
    streams, vocabulary = Streams.of(spec), Vocabulary.of(tokenizer)
    schedule = build_schedule(split.ids, split.tokens, difficulty, spec.supervision, spec.training, streams)
    _require_steps(spec.training, schedule.steps)
    teachers = _teachers(spec.supervision, inputs, split, tokenizer)
    kept = KeptModels(context.checkpoints, context.earlier, lambda folder: save_model(model, tokenizer, folder))
    details: dict[str, Any] = {}
    try:
        record = train(
            BatchLoss(model, spec.supervision.loss, vocabulary),
            ScheduledBatches(model, split, schedule, teachers, vocabulary, streams, spec.training.micro_batch_tokens),
            spec.training,
            ValidationChecks(model, validation, spec.training, vocabulary, kept),
            context,
        )
    except Diverged as diverged:
        if spec.on_divergence == "fail":
            raise
        # The weights before the step, not those of a checkpoint: when one is written is the clock's affair.
        record, details = diverged.record, {"diverged": str(diverged)}
        if record.validation[-1]["step"] != len(record.loss):
            last = validation_scores(model, validation, spec.training, len(record.loss), vocabulary)
            record.validation.append(last)
    steps, early = len(record.loss), spec.training.early_stopping
    chosen = save_result(model, tokenizer, kept, spec.training, record, out)
    save_kept_steps(kept, spec.training, steps, bool(details), out)
    if early is not None and steps < schedule.steps and not details:
        chosen["stopped_early"] = why_stopped(record.validation, early)
    stages = schedule.stage[:steps].tolist()
    (out / "training.json").write_text(
        json.dumps({**vars(record), "stage": stages, "scheduled": schedule.consumed_hash(steps), **chosen})
    )
    live = [teacher.model for teacher in teachers or () if teacher.model is not None]
    return Measured(
        record.tokens,
        training_flops(model, live, split, validation, schedule, spec.training, record, vocabulary.size),
        {
            "parameters": model.num_parameters(),
            "steps": steps,
            "consumed": record.consumed,
            "validation": record.validation[-1],
            **({"dropout": True} if record.dropout else {}),
            **chosen,
            **details,
        },
    )


def _initial(spec: ModelSpec, inputs: dict[str, Path], tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    if spec.architecture is not None:
        return new_model(spec.architecture, tokenizer, Streams.of(spec)).to(device())
    longest = max(int(read_split(inputs["corpus"], name).tokens.max()) for name in ("train", "validation"))
    return load_reader(inputs["initial"], tokenizer, longest, "the initial model", torch.float32)


def _require_steps(training: Training, steps: int) -> None:
    """
    Raises:
        UserError: a step is to be kept that the run does not have.
    """
    if training.keep_steps and training.keep_steps[-1] > steps:
        raise UserError(
            f"step {training.keep_steps[-1]} is to be kept of a run of {steps} steps",
            key="training.keep_steps",
            fix="Keep earlier steps, or allow more of them (epochs, a larger corpus)",
        )


def _teachers(
    supervision: Supervision, inputs: dict[str, Path], split: Split, tokenizer: PreTrainedTokenizerFast
) -> list[Teacher] | None:
    """None where the loss asks none."""
    loss = supervision.loss
    if isinstance(loss, CrossEntropy):
        return None
    if not supervision.live:
        return [read_targets(folder, split, loss.temperature) for folder in _numbered("targets", inputs)]
    teachers: list[Teacher] = []
    for m, folder in enumerate(_numbered("teacher", inputs), start=1):
        model = load_reader(folder, tokenizer, int(split.tokens.max()), f"teacher {m}")
        teachers.append(LiveTeacher(model, Vocabulary.of(tokenizer).size, loss.temperature))
    return teachers


def _numbered(role: str, inputs: dict[str, Path]) -> list[Path]:
    """The inputs `role.1`, `role.2`, ..."""
    return [inputs[f"{role}.{m}"] for m in range(1, sum(name.startswith(f"{role}.") for name in inputs) + 1)]
