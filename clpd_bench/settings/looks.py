"""Looks at the validation split during training, and what follows from them: when to stop, which model to save."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clpd_bench.settings.base import Settings, shorthand


class Look(Settings):
    """A score on the validation split, taken every so many steps.

    `response_loss` is the mean over validation examples of the mean nats a response token;
    `sequence_accuracy` the share of them whose whole response greedy decoding would reproduce.
    """

    metric: Literal["response_loss", "sequence_accuracy"]
    every: int = Field(default=25, ge=1)
    """Steps between two looks."""

    def gain(self, value: float, over: float) -> float:
        """How much better a score is than another."""
        return over - value if self.metric == "response_loss" else value - over


class Stop(Look):
    """Stop once a score on the validation split is reached; not reaching it is an error."""

    at: float

    def reached(self, value: float) -> bool:
        return self.gain(value, self.at) >= 0


class EarlyStopping(Look):
    """Stop after `patience` looks in a row of which none was better than the best one by more than `min_delta`.

    The look before the first step counts. The learning rate is that of the whole run, up to where it stops.
    """

    patience: int = Field(ge=1)
    min_delta: float = Field(default=0.0, ge=0)
    """In the metric's own unit: nats a token, or a share of 1."""


class Last(Settings):
    """The model as it is when its training ends."""

    name: Literal["last"]


class BestValidation(Look):
    """The model of the best look, the earliest of equals; the end of the run is one of them, its start is not."""

    name: Literal["best_validation"]


Checkpoint = Annotated[Last | BestValidation, Field(discriminator="name"), shorthand(best_validation="metric")]
"""Which of the models that a run goes through is its result."""
