"""Tuning in sentences: how much there is, what was chosen, what a reader has to be warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clpd_bench.plan.tuning import plan_tuning
from clpd_bench.reporting.tuning.warnings import left_out, values_text, warnings
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.axes import value_text
from clpd_bench.settings.space import tuned_arms, untuned
from clpd_bench.settings.tune import LOWER_IS_BETTER, TuneSettings
from clpd_bench.settings.tuned import Tuned
from clpd_bench.settings.tuned_file import read_tuned


def summary(ablation: Ablation) -> dict[str, Any] | None:
    """The size of the tuning that a file declares, and where the chosen values come from, as plain JSON."""
    tune = ablation.tune
    if tune is None:
        return None
    arms = tuned_arms(ablation, tune)
    return {
        "arms": arms,
        "trials": tune.trials,
        "seeds": list(tune.seeds),
        "students": len(arms) * tune.trials * len(tune.seeds),
        "tuned": str(ablation.tuned) if ablation.tuned else None,
    }


def size(ablation: Ablation, tune: TuneSettings) -> str:
    """`4 arms x 3 trials (student.training.learning_rate) x 2 seeds (100, 101): 24 students`."""
    arms = tuned_arms(ablation, tune)
    seeds = f"{_many(len(tune.seeds), 'seed')} ({', '.join(map(str, tune.seeds))})"
    trials = f"{_many(tune.trials, 'trial')} ({', '.join(tune.space)})"
    students = len(arms) * tune.trials * len(tune.seeds)
    return f"{_many(len(arms), 'arm')} x {trials} x {seeds}: {students} students"


def planned(ablation: Ablation, file: str) -> list[str]:
    """What `clpd plan` says of a declared tuning."""
    tune = ablation.tune
    if tune is None:
        return []
    if ablation.tuned is None:
        told = f"not done or not named: clpd tune {file}; until then every arm has the file's own values"
    else:
        told = f"chosen values from {ablation.tuned.name}"
    return [f"Tuning: {size(ablation, tune)}; {told}", *(f"Warning: {one}" for one in left_out(ablation, tune))]


def notes(ablation: Ablation, file: str, point: str) -> list[str]:
    """What a report says: what was tuned, over what, by what, what was chosen; and what to be warned of.

    Args:
        point: what this point of the grid is called by; empty at the base.
    """
    tune = ablation.tune
    if tune is None:
        return []
    if ablation.tuned is None:
        return [
            f"Not tuned: the file declares tuning over {', '.join(tune.space)} and names no result of it, so every "
            "arm has the file's own values."
        ]
    tuned, _ = read_tuned(ablation.tuned)
    at = " Tuned once, at the base of the grid; the chosen values hold at every point." if point else ""
    stale = [] if point else _other_trials(ablation, tuned, file)
    return [f"{_told(tuned)}{at}", *warnings(ablation, tuned), *stale]


def _told(tuned: Tuned) -> str:
    tune = tuned.tune
    better = "lower" if LOWER_IS_BETTER[tune.metric] else "higher"
    over = "; ".join(f"{key} over {', '.join(map(value_text, values))}" for key, values in tune.space.items())
    chosen = "; ".join(f"{name} {values_text(one.chosen, tune)}" for name, one in tuned.arms.items())
    seeds = f"{_many(len(tune.seeds), 'seed')} of {'its' if len(tune.seeds) == 1 else 'their'} own"
    return (
        f"Tuned by validation {tune.metric} ({better} is better), never on test items: {over}. Every tuned arm had "
        f"{_many(tune.trials, 'trial')} x {seeds} ({', '.join(map(str, tune.seeds))}). Chosen: {chosen}."
    )


def _other_trials(ablation: Ablation, tuned: Tuned, file: str) -> list[str]:
    """Where this file would now try other students than those that were tried."""
    now = {key for trial in plan_tuning(untuned(ablation), Path(file)).trials for key in trial.students.values()}
    then = {key for one in tuned.arms.values() for trial in one.trials for key in trial.students.values()}
    if now == then:
        return []
    return [
        "Tuned on other students than this file, its data and this code would try now: settings, data or code have "
        "changed since, and the chosen values may no longer be the best."
    ]


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
