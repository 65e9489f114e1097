"""The result of a trained model: which of the models that its run went through, and which others beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.distillation.choice import best_look
from clpd_bench.distillation.kept import KeptModels
from clpd_bench.distillation.models import save_model
from clpd_bench.distillation.train import Record
from clpd_bench.errors import UserError
from clpd_bench.settings.looks import BestValidation
from clpd_bench.settings.training import Training


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
    its best look one of those up to there.

    Args:
        model: as it is at the end.
        record: with a look at the end.

    Returns:
        `chosen`: what the look at the model saw, where it was chosen by one.
    """
    steps, wanted = len(record.loss), training.checkpoint
    best = best_look(record.validation, wanted, steps) if isinstance(wanted, BestValidation) else None
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
