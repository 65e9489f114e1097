"""The plan of tuning: the students of each arm at each point of the grid and of the space, and what they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.grid.points import BASE, Point, label
from clpd_bench.grid.space import space_grid, tuned_arms
from clpd_bench.plan.build import point_plans
from clpd_bench.plan.plan import Plan, PointPlan, whole
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.tune import TuneSettings


@dataclass(frozen=True)
class PlannedTrial:
    """An arm at a point of the space, and of the grid.

    Attributes:
        point: the grid's, by its name.
        students: {tuning seed: key of the student}.
    """

    point: str
    arm: str
    values: Mapping[str, Any]
    students: dict[int, str]


@dataclass(frozen=True)
class Tuning:
    """Attributes:
    plan: students and what they need. It has no evaluations, declares nothing, and shares with the real plan
        teachers, targets and corpora, which have the same keys in both.
    trials: of an arm at a point in the order in which the space is listed (its last key runs fastest). Trials of
        several points may have one student: it is trained once.
    """

    ablation: Ablation
    tune: TuneSettings
    plan: Plan
    trials: list[PlannedTrial]

    @property
    def points(self) -> list[str]:
        """The grid's, by their names, in the file's order."""
        return list(dict.fromkeys(trial.point for trial in self.trials))

    @property
    def students(self) -> list[str]:
        """The keys of all trials' students, each once."""
        return list(dict.fromkeys(key for trial in self.trials for key in trial.students.values()))


def plan_tuning(ablation: Ablation, file: Path) -> Tuning:
    """Of an ablation at each point of its grid, whatever was chosen for its arms before.

    Raises:
        UserError: the file has no `tune:`, or nothing in its space reaches a student.
    """
    tune = ablation.tune
    if tune is None:
        raise UserError(
            "this file has no `tune:` that says what to tune",
            file=file,
            fix="Add, for example, tune: {space: {student.training.learning_rate: [1e-5, 2e-5, 4e-5]}, "
            "seeds: [100, 101]}",
        )
    # A student that diverges is a trial with the worst score, not a job to see to.
    analysis = ablation.analysis.model_copy(update={"diverged": "last_checkpoint"})
    grid = space_grid(ablation, tune).model_copy(update={"seeds": tune.seeds, "analysis": analysis})
    arms = tuned_arms(ablation, tune)
    points = [PointPlan(one.point, _students_alone(one.plan, arms)) for one in point_plans(grid, file)]
    trials = [
        PlannedTrial(
            _place(ablation, tune, one.point),
            arm,
            {key: one.point.coordinates[key] for key in tune.space},
            {cell.seed: cell.model for cell in one.plan.cells if cell.name == arm},
        )
        for arm in arms
        for one in points
    ]
    _refuse_idle(trials, tune, file)
    plan = replace(whole(points), references=[], ladders=[], declaration={"points": {}})
    return Tuning(ablation, tune, plan, trials)


def _place(ablation: Ablation, tune: TuneSettings, point: Point) -> str:
    """The name of the grid's point at which a point of grid and space lies."""
    coordinates = {key: value for key, value in point.coordinates.items() if key not in tune.space}
    return label(ablation, coordinates) or BASE


def _students_alone(plan: Plan, arms: list[str]) -> Plan:
    cells = [replace(cell, evaluations={}) for cell in plan.cells if cell.name in arms]
    needed = {key for cell in cells for key in plan.ancestors(cell.model)}
    return replace(
        plan,
        jobs={key: job for key, job in plan.jobs.items() if key in needed},
        cells=cells,
        references=[],
        corpora={name: key for name, key in plan.corpora.items() if key in needed},
        arm_data={},
        models={key: names for key, names in plan.models.items() if key in needed},
    )


def _refuse_idle(trials: list[PlannedTrial], tune: TuneSettings, file: Path) -> None:
    """A space in which no arm's students come apart would have its first point win everywhere."""
    if tune.trials > 1 and all(
        len({one.students[seed] for one in trials if (one.point, one.arm) == (trial.point, trial.arm)}) == 1
        for trial in trials
        for seed in trial.students
    ):
        raise UserError(
            f"no student depends on {', '.join(tune.space)}: all trials of an arm would be one",
            file=file,
            key="tune.space",
            fix="Tune a setting that changes what is learnt",
        )
