"""A fabricated store in which arms were tuned first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fabricated_report import World

from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.tuning import Tuning, plan_tuning
from clpd_bench.reporting.report import Report, write_report
from clpd_bench.reporting.tuning.file import write_tuned
from clpd_bench.reporting.tuning.outcome import outcome
from clpd_bench.settings.load import load_ablation, load_untuned

RATE = "student.training.learning_rate"
RATES = (1e-3, 2e-3, 4e-3)
TUNE = f"tune: {{space: {{{RATE}: [1e-3, 2e-3, 4e-3]}}, metric: METRIC, seeds: [100, 101], arms: ARMS}}\n"
Score = Callable[[str, float, int], float | None]
"""(arm, learning rate, tuning seed) -> validation score, None for a student that diverged."""


def best_at(**rates: float) -> Score:
    """Losses that are smallest at these rates, in the middle of arms that are not named."""
    return lambda arm, rate, seed: 1 + abs(rate - rates.get(arm, 2e-3)) * 100 + (seed - 100) / 50


class TunedWorld:
    """Trials of these scores, all done; `report` then fabricates the students that use what was chosen."""

    def __init__(self, folder: Path, score: Score, *, metric: str = "response_loss", arms: str = "null") -> None:
        self.world = World(folder)
        self.file = Path(self.world.plan.file)
        self.file.write_text(self.file.read_text() + TUNE.replace("METRIC", metric).replace("ARMS", arms))
        self.metric = metric
        for trial in self.tuning().trials:
            for seed, key in trial.students.items():
                self._score(key, score(trial.arm, trial.values[RATE], seed))
        self._make_all(self.tuning().plan, curves=False)

    def tuning(self) -> Tuning:
        return plan_tuning(load_untuned(self.file), self.file)

    def tune(self) -> Path:
        return write_tuned(outcome(self.tuning(), self.world.store), self.file)

    def report(self, *sets: str) -> Report:
        """Of the ablation with the tuned values, in `report/`."""
        self.world.ablation = load_ablation(self.file, ["tuned=tiny.tuned.yaml", *sets])
        self.world.plan = build_plan(self.world.ablation, self.file)
        self.world.store.declare(self.world.plan.declaration)
        self._make_all(self.world.plan, curves=True)
        return write_report(self.world.ablation, self.world.plan, self.world.store, self.world.folder / "report")

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
