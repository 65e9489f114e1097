"""The file that `clpd tune` writes and `tuned:` names: its form, and whether it is of this ablation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from clpd_bench.errors import UserError
from clpd_bench.grid.points import BASE, points
from clpd_bench.grid.space import tuned_arms
from clpd_bench.settings.base import Settings
from clpd_bench.settings.file.load import load_settings
from clpd_bench.settings.file.yaml_reader import KeyPath, dotted
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import identity
from clpd_bench.settings.parts.metrics import lower_is_better
from clpd_bench.settings.parts.tune import TuneSettings


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


def read_tuned(file: Path) -> tuple[Tuned, dict[KeyPath, int]]:
    """What was tuned, and the line on which each key path stands.

    Raises:
        UserError: there is no such file, or it is none that `clpd tune` wrote.
    """
    anew = "clpd tune writes this file; have it written anew rather than change it by hand"
    tuned, lines = load_settings(file, Tuned, "the file of tuned values", anew)
    for point, arms in tuned.points.items():
        path: KeyPath = ("points", point)
        if {*arms} != {*(tuned.tune.arms or ())}:
            message = "has not the arms that tune.arms lists"
            raise UserError(message, file=file, line=lines[path], key=dotted(path), fix=anew)
        for name, arm in arms.items():
            if not _is_best(arm, tuned.tune):
                path = (*path, name, "chosen")
                message = "is not the best of the trials listed below it, or none of what tune.space lists"
                raise UserError(message, file=file, line=lines[path], key=dotted(path), fix=anew)
    return tuned, lines


def _is_best(arm: TunedArm, tune: TuneSettings) -> bool:
    if arm.chosen.keys() != tune.space.keys():
        return False
    sign = 1 if lower_is_better(tune.metric) else -1
    scores = [(sign * trial.mean, trial) for trial in arm.trials if trial.mean is not None]
    best = min(scores, key=lambda scored: scored[0], default=(None, None))[1]
    return best is not None and (best.values, best.mean, best.sd) == (arm.chosen, arm.mean, arm.sd)


def refuse_stale(ablation: Ablation, tuned: Tuned) -> None:
    """Raises:
    UserError: it was made under another `tune:`, or for arms that are others now, or not at every point of the
        grid; says what differs.
    """
    assert ablation.tune
    now, then = declared(ablation, ablation.tune), tuned.tune
    for key in TuneSettings.model_fields:
        mine, theirs = getattr(now, key), getattr(then, key)
        if mine != theirs:
            raise _stale(f"tune.{key} was {_written(theirs)} and is {_written(mine)}")
    for point in points(ablation):
        if point.name not in tuned.points:
            raise _stale(f"nothing was tuned at the point {point.name}, but at {', '.join(tuned.points)}")
        for name in now.arms or ():
            arm, before = identity(point.ablation, name), tuned.points[point.name][name]
            for key, is_now in arm.items():
                if (was := getattr(before, key)) != is_now:
                    raise _stale(f"arm {name!r} had {key} {_written(was)} and has {_written(is_now)}")


def _stale(what: str) -> UserError:
    return UserError(f"these values were tuned for something else: {what}", key="tuned")


def _written(value: Any) -> str:
    if isinstance(value, Settings):
        value = value.model_dump(mode="json")
    if isinstance(value, dict) and [*value] == ["name"]:
        return str(value["name"])
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_written(one)}" for key, one in value.items())
        return f"{{{inner}}}"
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, (list, tuple)) else str(value)
