"""Fair tuning, as it is declared: what is tried, by what it is judged, on which seeds, for which arms."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from clpd_bench.settings.base import Settings, distinct
from clpd_bench.settings.parts.metrics import ValidationMetric

Values = Annotated[tuple[Any, ...], Field(min_length=1), BeforeValidator(distinct("value"))]


class TuneSettings(Settings):
    """`tune:`: one budget for every arm: each point of the space with each tuning seed, judged on validation items.

    Attributes:
        space: {dotted key, as under an arm's `differs:`: its values}; several keys multiply.
        metric: what training records on the validation split at its end.
        seeds: none of the reported ones.
    """

    space: dict[str, Values] = Field(min_length=1)
    metric: ValidationMetric = "response_loss"
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    arms: tuple[str, ...] | None = Field(default=None, min_length=1)
    """None for every arm that is compared."""

    @property
    def trials(self) -> int:
        """Points of the space: what each arm is tried with."""
        return math.prod(len(values) for values in self.space.values())

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, value: object) -> object:
        return distinct("seed")(value)

    @field_validator("arms")
    @classmethod
    def _distinct_arms(cls, value: object) -> object:
        return distinct("arm")(value)
