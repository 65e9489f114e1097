"""What is compared with what: declared before the numbers are seen."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from clpd_bench.settings.base import NotInKey, Settings, distinct
from clpd_bench.settings.parts.metrics import BINARY


class Primary(Settings):
    """The one result that the verdict is about."""

    benchmark: str
    metric: Literal["exact_match", "acc", "acc_norm", "response_loss"]
    filter: str | None = None
    """How the answer is taken out of the output; to be named where the benchmark keeps several."""

    @property
    def title(self) -> str:
        """`exact_match`, or `exact_match (flexible)` where a filter is named."""
        return self.metric if self.filter is None else f"{self.metric} ({self.filter})"


class AnalysisSettings(Settings):
    """The baseline, the family of arms tested against it (`interaction` may stand in it), the correction."""

    baseline: str
    family: tuple[str, ...] = Field(min_length=1)
    primary: Primary
    correction: Literal["holm", "bonferroni", "none"] = "holm"
    alpha: float = Field(default=0.05, gt=0, lt=1)
    margin: float | None = Field(default=None, gt=0)
    """Differences of the primary result within ± this count as none (TOST), in the metric's own unit: nats a
    token, or for accuracy a share of 1."""
    generalise_to: Literal["these_items", "new_items"] = "these_items"
    """What the tests claim: something about the benchmark's items, or about others like them, too."""
    diverged: Literal["refuse", "last_checkpoint", "drop_pair"] = "refuse"
    """A student whose loss or gradient is no finite number, or whose mean training loss over the last tenth of its
    steps is above that over the first while its validation loss did not fall: no report; evaluated as it was before
    the step that failed; or left out together with its pair, and counted."""
    spread: Annotated[float | None, NotInKey()] = Field(default=None, gt=0)
    """A note to the planner, in no declaration and no key: the standard deviation over seeds of the paired
    difference between two arms, expected in the primary metric's own unit (accuracy is a share of 1). `clpd plan`
    works out with it what the declared seeds can find."""

    @field_validator("family")
    @classmethod
    def _no_twins(cls, value: object) -> object:
        return distinct("comparison")(value)

    @model_validator(mode="after")
    def _margin_is_a_share(self) -> Self:
        if self.margin is not None and self.margin >= 1 and self.primary.metric in BINARY:
            raise ValueError(f"margin is a share of 1 for accuracy: one point is 0.01, and this is {self.margin:g}")
        return self
