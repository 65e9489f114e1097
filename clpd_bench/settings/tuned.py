"""The form of the file that `clpd tune` writes and the ablation names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.base import Settings
from clpd_bench.settings.points import BASE
from clpd_bench.settings.space import tuned_arms
from clpd_bench.settings.tune import TuneSettings


class Trial(Settings):
    """A point of the space, tried by one arm with every tuning seed.

    Attributes:
        values: {dotted key: value}.
        scores: {tuning seed: validation score}, None for a student that diverged.
        students: {tuning seed: key of the student in the store}.
        mean: over the seeds; None where one of them diverged, which is worse than any number.
        sd: None with fewer than two seeds, or where one diverged.
    """

    values: dict[str, Any]
    mean: float | None
    sd: float | None
    n: int
    diverged: int
    scores: dict[int, float | None]
    students: dict[int, str]


class Budget(Settings):
    """What an arm was given.

    Attributes:
        trials: points of the space.
        students: that were trained; fewer than trials x seeds where values change nothing in an arm.
        steps, tokens: of all of them together.
    """

    trials: int
    seeds: int
    students: int
    steps: int
    tokens: int


class TunedArm(Settings):
    """An arm's choice.

    Attributes:
        order, teachers, differs: the arm as it was tuned, as `identity` has it.
        chosen: {dotted key: value}.
        mean, sd: of the chosen trial.
        edges: numeric keys whose chosen value is the smallest or the largest that was tried.
    """

    order: dict[str, Any]
    teachers: dict[str, Any]
    differs: dict[str, Any] = Field(default_factory=dict)
    chosen: dict[str, Any]
    mean: float
    sd: float | None
    edges: tuple[str, ...] = ()
    budget: Budget
    trials: tuple[Trial, ...] = Field(min_length=1)


class Tuned(Settings):
    """Attributes:
    tune: the block that was worked off, its arms named.
    git: revisions of the code that trained the trials' students.
    points: {point of the grid, `base` where it has no label: {arm: its choice there}}.
    """

    tune: TuneSettings
    git: tuple[str, ...]
    points: dict[str, dict[str, TunedArm]] = Field(min_length=1)

    def at(self, label: str) -> TunedPoint:
        """What was tuned at the point of this label, or name."""
        return TunedPoint(self.tune, self.points[label or BASE])


@dataclass(frozen=True)
class TunedPoint:
    """A point of the grid: the block, and what was chosen for each arm."""

    tune: TuneSettings
    arms: dict[str, TunedArm]


def declared(ablation: Ablation, tune: TuneSettings) -> TuneSettings:
    """The block with its arms named."""
    return tune.model_copy(update={"arms": tuple(tuned_arms(ablation, tune))})
