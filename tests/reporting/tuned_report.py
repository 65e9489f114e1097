"""A fabricated store in which arms were tuned first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fabricated_report import World

from clpd_bench.grid.load import load_ablation, load_untuned
from clpd_bench.plan.build import point_plans
from clpd_bench.plan.plan import Plan, PointPlan
from clpd_bench.plan.tuning import Tuning, plan_tuning
from clpd_bench.report.report import Report, write_report
from clpd_bench.report.several.points import PointReports, write_reports
from clpd_bench.results.tuning import outcome, write_tuned

RATE = "student.training.learning_rate"
RATES = (1e-3, 2e-3, 4e-3)
AXIS = "axes: {curriculum.pacing.strength: [0, 1]}\n"
TUNE = f"tune: {{space: {{{RATE}: [1e-3, 2e-3, 4e-3]}}, metric: METRIC, seeds: [100, 101], arms: ARMS}}\n"
Score = Callable[[str, float, int], float | None]
"""(arm, learning rate, tuning seed) -> validation score, None for a student that diverged."""


def best_at(**rates: float) -> Score:
    """Losses that are smallest at these rates, in the middle of arms that are not named."""
    return lambda arm, rate, seed: 1 + abs(rate - rates.get(arm, 2e-3)) * 100 + (seed - 100) / 50


class TunedWorld:
    """Trials of these scores, all done; `report` then fabricates the students that use what was chosen.

    Args:
        at: {point of the grid: its scores}, where they are not `score`.
        grid: the file's axes; by default it has none.
    """

    def __init__(
        self,
        folder: Path,
        score: Score,
        *,
        metric: str = "response_loss",
        arms: str = "null",
        at: Mapping[str, Score] | None = None,
        grid: str = "",
    ) -> None:
        self.world = World(folder)
        self.file = Path(self.world.plan.file)
        self.file.write_text(self.file.read_text() + TUNE.replace("METRIC", metric).replace("ARMS", arms) + grid)
        self.metric = metric
        self._tuning = plan_tuning(load_untuned(self.file), self.file)
        for trial in self._tuning.trials:
            for seed, key in trial.students.items():
                self._score(key, (at or {}).get(trial.point, score)(trial.arm, trial.values[RATE], seed))
        self._make_all(self._tuning.plan, curves=False)

    def tuning(self) -> Tuning:
        return self._tuning

    def tune(self) -> Path:
        return write_tuned(outcome(self.tuning(), self.world.store), self.file)

    def report(self, *sets: str) -> Report:
        """Of the ablation with the tuned values, in `report/`."""
        (one,) = self.points(*sets)
        self.world.ablation, self.world.plan = one.point.ablation, one.plan
        self.world.store.declare(self.world.plan.declaration)
        self._make_all(self.world.plan, curves=True)
        return write_report(self.world.ablation, self.world.plan, self.world.store, self.world.folder / "report")

    def reports(self) -> PointReports:
        """Of each point of the grid with its tuned values, in `report/`."""
        points = self.points()
        for one in points:
            self._make_all(one.plan, curves=False)
        return write_reports(points, self.world.store, self.world.folder / "report")

    def points(self, *sets: str) -> list[PointPlan]:
        return point_plans(load_ablation(self.file, ["tuned=tiny.tuned.yaml", *sets]), self.file)

    def _score(self, key: str, score: float | None) -> None:
        details = {"steps": 6, "parameters": 7, "validation": {self.metric: score}}
        if score is None:
            details = {**details, "diverged": "the loss is nan", "validation": {self.metric: 9.0}}
        self.world.fields[self.tuning().plan.jobs[key].label] = {"details": details}

    def _make_all(self, plan: Plan, curves: bool) -> None:
        self.world.curves = curves
        for key, job in plan.jobs.items():
            if not self.world.store.is_done(key):
                self.world._make(job)
