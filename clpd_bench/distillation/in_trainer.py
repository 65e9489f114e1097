"""What Hugging Face's Trainer must be given so that it steps through a schedule as our own loop does."""

from __future__ import annotations

from typing import Any

from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from transformers import PreTrainedModel, TrainerCallback, TrainingArguments
from transformers.trainer_callback import ExportableState

from clpd_bench.curriculum.schedule import ConsumedHash
from clpd_bench.distillation.precision import TrainedParameters
from clpd_bench.settings.parts.training import Last, Training


class Consumed(TrainerCallback, ExportableState):  # type: ignore[misc]
    """A `ConsumedHash` that Trainer's checkpoints carry."""

    def __init__(self, consumed: str = ConsumedHash().state) -> None:
        self.hash = ConsumedHash(consumed)

    def state(self) -> dict[str, Any]:
        return {"args": {"consumed": self.hash.state}, "attributes": {}}


def optimizers_of(model: PreTrainedModel, training: Training, steps: int) -> tuple[AdamW, LambdaLR]:
    """AdamW and the learning rate of each step, for Trainer's `optimizers`; freezes what `training` freezes."""
    # Trainer's rate is a product: by one, so that no digit of ours is lost.
    optimizer = TrainedParameters(model, training).optimizer(training.model_copy(update={"learning_rate": 1.0}))
    return optimizer, LambdaLR(optimizer, lambda done: training.learning_rate_at(min(done + 1, steps), steps))


def require_arguments(arguments: TrainingArguments, training: Training) -> None:
    """Refuses what would make another training of it in silence.

    Args:
        arguments: for a Trainer whose dataset has one item a step of the schedule.

    Raises:
        ValueError: names all that is wrong, and why.
    """
    a, t = arguments, training
    wanted = [
        ("num_train_epochs", a.num_train_epochs, 1, "the schedule has all epochs in it"),
        ("max_steps", a.max_steps, -1, "the schedule has its own length"),
        ("gradient_accumulation_steps", a.gradient_accumulation_steps, 1, "an item is a whole step"),
        ("max_grad_norm", a.max_grad_norm, t.clip, "training clips by it"),
        ("bf16", a.bf16, False, "autocast wraps the model's forward, which is not what is called"),
        ("fp16", a.fp16, False, "autocast wraps the model's forward, which is not what is called"),
        ("gradient_checkpointing", a.gradient_checkpointing, t.activation_checkpointing, "training says it"),
        ("logging_nan_inf_filter", a.logging_nan_inf_filter, False, "a loss that is no number would be hidden"),
        ("ignore_data_skip", a.ignore_data_skip, False, "a resumed run would begin at the first step again"),
        (
            "restore_callback_states_from_checkpoint",
            a.restore_callback_states_from_checkpoint,
            True,
            "a resumed run would begin the hash of what was consumed again",
        ),
        ("(processes)", a.world_size, 1, "each would take every step"),
        ("(GPUs)", max(a.n_gpu, 1), 1, "DataParallel would cut a step; let CUDA_VISIBLE_DEVICES name one"),
    ]
    wrong = [f"{name} is {found}, wants {value}: {why}" for name, found, value, why in wanted if found != value]
    if t.precision != "float32":
        wrong.append(
            f"training.precision is {t.precision}, wants float32: Trainer clips gradients before masters have them"
        )
    ours = {"stop": t.stop, "early_stopping": t.early_stopping, "keep_steps": t.keep_steps}
    if any(ours.values()) or not isinstance(t.checkpoint, Last):
        named = [name for name, value in ours.items() if value] or ["checkpoint"]
        wrong.append(f"training.{named[0]} is our own loop's; Trainer has callbacks for it")
    if wrong:
        raise ValueError("Trainer would not train as scheduled:\n- " + "\n- ".join(wrong))
