"""What a student's step minimises, and what of a teacher is kept for it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from clpd_bench.settings.base import Settings, distinct, shorthand
from clpd_bench.settings.plugin import LossPlugin, pluggable


class CrossEntropy(Settings):
    """-log q(token) on the corpus's own responses."""

    name: Literal["cross_entropy"]


class ForwardKl(Settings):
    """(1 - ce_weight) T^2 KL(p || q) + ce_weight cross-entropy, p and q at temperature T (Hinton 2015)."""

    name: Literal["forward_kl"]
    temperature: float = Field(default=1.0, gt=0)
    ce_weight: float = Field(default=0.0, ge=0, lt=1)


Loss = Annotated[CrossEntropy | ForwardKl | LossPlugin, Field(discriminator="name"), pluggable(LossPlugin), shorthand()]
DistillationLoss = Annotated[ForwardKl | LossPlugin, Field(discriminator="name"), pluggable(LossPlugin), shorthand()]


class TargetsSettings(Settings):
    """What is stored of a teacher's distribution at each response token.

    The `top_k` largest logits with their ids (null: all), and log Z at each of `temperatures`; what
    lies outside the top k enters the loss as one residual bucket. Or, where `live`, nothing: the teacher
    runs beside the student in its steps, over the whole vocabulary and at the loss's own temperature.
    """

    live: bool = False
    top_k: int | None = Field(default=None, ge=1)
    temperatures: tuple[float, ...] = Field(default=(1.0,), min_length=1)

    @model_validator(mode="after")
    def _nothing_stored(self) -> Self:
        if self.live and self.top_k is not None:
            raise ValueError(
                f"a live teacher stores nothing, so top_k: {self.top_k} has no meaning beside live: true; leave one out"
            )
        return self

    @field_validator("temperatures")
    @classmethod
    def _no_twins(cls, value: object) -> object:
        return distinct("temperature")(value)

    @field_validator("temperatures")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) <= 0:
            raise ValueError("wants temperatures above 0")
        return tuple(sorted(value))
