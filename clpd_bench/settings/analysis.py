"""What is compared with what: declared before the numbers are seen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from clpd_bench.settings.base import NotInKey, Settings, distinct


class Primary(Settings):
    """The one result that the verdict is about."""

    benchmark: str
    metric: Literal["exact_match", "response_loss"]


class AnalysisSettings(Settings):
    """The baseline, the family of arms tested against it (`interaction` may stand in it), the correction."""

    baseline: str
    family: tuple[str, ...] = Field(min_length=1)
    primary: Primary
    correction: Literal["holm"] = "holm"
    alpha: float = Field(default=0.05, gt=0, lt=1)
    spread: Annotated[float | None, NotInKey()] = Field(default=None, gt=0)
    """A note to the planner, in no declaration and no key: the standard deviation over seeds of the paired
    difference between two arms, expected in the primary metric's own unit (accuracy is a share of 1). `clpd plan`
    works out with it what the declared seeds can find."""

    @field_validator("family")
    @classmethod
    def _no_twins(cls, value: object) -> object:
        return distinct("comparison")(value)
