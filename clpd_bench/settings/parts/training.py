"""How long a model is trained, with what steps, and what the checks on the validation split decide."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from clpd_bench.settings.base import NotInKey, Settings, distinct, shorthand
from clpd_bench.settings.parts.metrics import ValidationMetric, lower_is_better


class ValidationCheck(Settings):
    """A score on the validation split, taken every so many steps.

    `response_loss` is the mean over validation examples of the mean nats a response token;
    `sequence_accuracy` the share of them whose whole response greedy decoding would reproduce.
    """

    metric: ValidationMetric
    every: int = Field(default=25, ge=1)
    """Steps between two checks."""

    def gain(self, value: float, over: float) -> float:
        """How much better a score is than another."""
        return over - value if lower_is_better(self.metric) else value - over


class Stop(ValidationCheck):
    """Stop once a score on the validation split is reached; not reaching it is an error."""

    at: float

    def reached(self, value: float) -> bool:
        return self.gain(value, self.at) >= 0


class EarlyStopping(ValidationCheck):
    """Stop after `patience` checks in a row of which none was better than the best one by more than `min_delta`.

    The check before the first step counts. The learning rate is that of the whole run, up to where it stops.
    """

    patience: int = Field(ge=1)
    min_delta: float = Field(default=0.0, ge=0)
    """In the metric's own unit: nats a token, or a share of 1."""


class Last(Settings):
    """The model as it is when its training ends."""

    name: Literal["last"]


class BestValidation(ValidationCheck):
    """The model of the best check, the earliest of equals; the end of the run is one of them, its start is not."""

    name: Literal["best_validation"]


Checkpoint = Annotated[Last | BestValidation, Field(discriminator="name"), shorthand(best_validation="metric")]
"""Which of the models that a run goes through is its result."""


class Training(Settings):
    """Optimizer steps over `epochs` presentations of every example.

    S = ceil(T / tokens_per_step) steps for a run of T tokens (prompt + response + end), or `steps`
    given outright. The learning rate warms up, stays, and falls linearly to zero over the last
    `decay_fraction` of the steps.
    """

    epochs: int = Field(default=1, ge=1)
    tokens_per_step: int | None = Field(default=None, ge=1)
    steps: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(default=0, ge=0)
    decay_fraction: float = Field(default=0.2, ge=0, le=1)
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of a step's gradient."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the weights that a step computes with. bfloat16 ones have float32 masters, in which gradients
    are summed and steps taken; the model is saved in its precision."""
    freeze_embeddings: bool = False
    """Neither trained nor decayed: the input embeddings, and with them an output head that is tied to them."""
    keep_steps: tuple[int, ...] = ()
    """Steps after which the model as it then is becomes a part of the result."""
    stop: Stop | None = None
    early_stopping: EarlyStopping | None = None
    checkpoint: Checkpoint = Last(name="last")
    micro_batch_tokens: Annotated[int, NotInKey()] = Field(default=8192, ge=1)
    """Padded tokens in one forward pass. Changes memory and rounding alone."""
    activation_checkpointing: Annotated[bool, NotInKey()] = False
    """Whether layers are computed again for their gradients, and not remembered. Changes memory and time alone."""
    checkpoint_seconds: Annotated[float, NotInKey()] = Field(default=60.0, ge=0)
    """Seconds between two checkpoints to resume from."""

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.tokens_per_step is None):
            raise ValueError("wants exactly one of steps and tokens_per_step")
        return self

    @field_validator("keep_steps")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        distinct("step")(value)
        if value and min(value) < 1:
            raise ValueError("wants steps from 1 on")
        return tuple(sorted(value))

    @model_validator(mode="after")
    def _steps_there(self) -> Self:
        if self.steps is not None and self.keep_steps and self.keep_steps[-1] > self.steps:
            raise ValueError(f"keep_steps holds step {self.keep_steps[-1]} of a run of {self.steps} steps")
        return self

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.stop is not None and self.early_stopping is not None:
            raise ValueError("wants stop or early_stopping, not both: each of them says when the run ends")
        if self.stop is not None and isinstance(self.checkpoint, BestValidation):
            raise ValueError("wants stop or checkpoint best_validation, not both: stop saves the model that reaches it")
        return self

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate of step 1..steps."""
        warm = min(1.0, step / (self.warmup_steps + 1)) if self.warmup_steps else 1.0
        decay_steps = round(self.decay_fraction * steps)
        left = steps - step + 1
        return self.learning_rate * min(warm, left / (decay_steps + 1) if decay_steps else 1.0)
