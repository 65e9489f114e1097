"""A schedule in Hugging Face's Trainer, as docs/plugins.md has it, is our own training; other settings are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import TOKENS, schedule_of, train_on, with_dropout
from transformers import PreTrainedModel, Trainer, TrainingArguments

from clpd_bench.corpus.reader import Split
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.in_trainer import require_arguments
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.targets import Targets
from clpd_bench.distillation.train import Record
from clpd_bench.settings.parts.loss import ForwardKl
from clpd_bench.settings.parts.training import BestValidation, Stop, Training

KL = ForwardKl(name="forward_kl", temperature=2.0, ce_weight=0.1)
TRAINING = Training(
    epochs=3, steps=9, learning_rate=0.01, warmup_steps=2, weight_decay=0.1, clip=0.5, micro_batch_tokens=40
)
BLOCKS = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(), re.S)
IN_TRAINER = next(block for block in BLOCKS if "class ScheduledTrainer" in block)
COMPUTE_LOSS = next(block for block in BLOCKS if "def compute_loss" in block)


def written(code: str) -> type[Trainer]:
    """The class of the document, without the lines below it that call it."""
    names: dict[str, Any] = {}
    exec(code[: code.index("\n\narguments = ")], names)
    trainer: type[Trainer] = names["ScheduledTrainer"]
    return trainer


def with_compute_loss() -> str:
    before, rest = IN_TRAINER.split("    def training_step", 1)
    return f"{before}{COMPUTE_LOSS}{rest[rest.index(chr(10) + chr(10) + chr(10)) :]}"


def arguments(folder: Path, **changed: Any) -> TrainingArguments:
    settings = {
        "num_train_epochs": 1,
        "max_grad_norm": TRAINING.clip,
        "logging_nan_inf_filter": False,
        "restore_callback_states_from_checkpoint": True,
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": True,
        "save_strategy": "steps",
        "save_steps": 4,
    }
    return TrainingArguments(str(folder), **{**settings, **changed})


def in_trainer(
    model: PreTrainedModel,
    split: Split,
    targets: list[Targets],
    folder: Path,
    resume: bool = False,
    code: str = IN_TRAINER,
    **changed: Any,
) -> Any:
    tokens = TRAINING.micro_batch_tokens
    batches = ScheduledBatches(model, split, schedule(split), targets, TOKENS, Streams(0), tokens)
    trainer = written(code)(BatchLoss(model, KL, TOKENS), batches, TRAINING, arguments(folder, **changed))
    trainer.train(resume_from_checkpoint=str(folder / "checkpoint-4") if resume else None)
    return trainer


def schedule(split: Split) -> Schedule:
    return schedule_of(split, TRAINING, 3, 2)


def ours(model: PreTrainedModel, split: Split, targets: list[Targets], folder: Path) -> Record:
    return train_on(model, split, TRAINING, Context(folder), loss=KL, targets=targets, stages=3)


def same(a: PreTrainedModel, b: PreTrainedModel) -> bool:
    return all(map(torch.equal, a.parameters(), b.parameters()))


def test_the_document_shows_it_in_less_than_40_lines_of_public_names() -> None:
    assert len([line for line in IN_TRAINER.splitlines() if line.strip()]) < 40
    imported = re.findall(r"from clpd_bench[\w.]* import (.*)", IN_TRAINER)
    names = re.findall(r"\w+", " ".join(imported)) + re.findall(r"\.(\w+)", IN_TRAINER)
    assert imported
    assert not [name for name in names if re.match(r"_[a-z]", name)]


@pytest.mark.parametrize(("kind", "tied"), [("llama", False), ("llama", True), ("qwen3", False)])
def test_a_schedule_in_trainer_is_our_own_training_bit_for_bit(
    split: Split, whole_targets: list[Targets], tmp_path: Path, kind: str, tied: bool
) -> None:
    mine, theirs = with_dropout(kind, tied), with_dropout(kind, tied)
    record = ours(mine, split, whole_targets, tmp_path / "ours")
    trainer = in_trainer(theirs, split, whole_targets, tmp_path / "theirs")
    assert not same(mine, with_dropout(kind, tied)), "nothing was trained"
    assert same(mine, theirs)
    assert trainer.consumed.state == record.consumed == schedule(split).consumed_hash()
    resumed = with_dropout(kind, tied)
    again = in_trainer(resumed, split, whole_targets, tmp_path / "theirs", resume=True)
    assert same(resumed, mine), "a run resumed from Trainer's checkpoint of step 4"
    assert again.consumed.state == record.consumed


def test_compute_loss_alone_is_our_own_training_to_rounding(
    split: Split, whole_targets: list[Targets], tmp_path: Path
) -> None:
    mine, theirs = with_dropout(), with_dropout()
    ours(mine, split, whole_targets, tmp_path / "ours")
    in_trainer(theirs, split, whole_targets, tmp_path / "theirs", code=with_compute_loss())
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"num_train_epochs": 3}, "num_train_epochs is 3, wants 1"),
        ({"max_steps": 5}, "max_steps is 5, wants -1"),
        ({"gradient_accumulation_steps": 2}, "gradient_accumulation_steps is 2, wants 1"),
        ({"max_grad_norm": 1.0}, "max_grad_norm is 1.0, wants 0.5"),
        ({"bf16": True}, "bf16 is True, wants False"),
        ({"logging_nan_inf_filter": True}, "logging_nan_inf_filter is True, wants False"),
        ({"ignore_data_skip": True}, "ignore_data_skip is True, wants False"),
        ({"restore_callback_states_from_checkpoint": False}, "restore_callback_states_from_checkpoint is False"),
        ({"gradient_checkpointing": True}, "gradient_checkpointing is True, wants False"),
    ],
)
def test_what_trainer_would_do_otherwise_in_silence_is_refused(
    tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    require_arguments(arguments(tmp_path), TRAINING)
    with pytest.raises(ValueError, match=told):
        require_arguments(arguments(tmp_path, **changed), TRAINING)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"precision": "bfloat16"}, "precision is bfloat16, wants float32"),
        ({"stop": Stop(metric="response_loss", at=1.0)}, "stop is our own loop's"),
        ({"keep_steps": (2,)}, "keep_steps is our own loop's"),
        ({"checkpoint": BestValidation(name="best_validation", metric="response_loss")}, "checkpoint is our own"),
    ],
)
def test_what_trainer_cannot_do_is_refused(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        require_arguments(arguments(tmp_path), TRAINING.model_copy(update=changed))


def test_mixed_precision_is_refused_where_nobody_asked_about_arguments(
    split: Split, whole_targets: list[Targets], tmp_path: Path
) -> None:
    """Without `require_arguments`, as a user writes who has not seen it."""
    careless = IN_TRAINER.replace("        require_arguments(arguments, training)\n", "")
    with pytest.raises(ValueError, match="autocast has no effect on this loss"):
        in_trainer(with_dropout(), split, whole_targets, tmp_path, code=careless, bf16=True)
    batches = ScheduledBatches(with_dropout(), split, schedule(split), whole_targets, TOKENS, Streams(0))
    with torch.autocast("cpu"), pytest.raises(ValueError, match="autocast"):
        BatchLoss(with_dropout(), KL, TOKENS)(next(batches.at(1).micro_batches()))
