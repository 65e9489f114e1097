"""Tuning in sentences: how much there is, what was chosen, what a reader has to be warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clpd_bench.plan.tuning import Tuning, plan_tuning
from clpd_bench.reporting.tuning.warnings import left_out, values_text, warnings
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.axes import value_text
from clpd_bench.settings.space import tuned_arms
from clpd_bench.settings.tune import LOWER_IS_BETTER
from clpd_bench.settings.tuned import TunedPoint


def summary(tuning: Tuning | None) -> dict[str, Any] | None:
    """The size of the tuning that a file declares, and where the chosen values come from, as plain JSON."""
    if tuning is None:
        return None
    ablation, tune = tuning.ablation, tuning.tune
    return {
        "points": tuning.points,
        "arms": tuned_arms(ablation, tune),
        "trials": tune.trials,
        "seeds": list(tune.seeds),
        "students": len(tuning.students),
        "tuned": str(ablation.tuned) if ablation.tuned else None,
    }


def size(tuning: Tuning) -> str:
    """`4 arms x 3 trials (student.training.learning_rate) x 2 seeds (100, 101): 24 students`, those that several
    trials share counted once."""
    tune = tuning.tune
    points = f"{len(tuning.points)} points x " if len(tuning.points) > 1 else ""
    arms = _many(len(tuned_arms(tuning.ablation, tune)), "arm")
    trials = f"{_many(tune.trials, 'trial')} ({', '.join(tune.space)})"
    seeds = f"{_many(len(tune.seeds), 'seed')} ({', '.join(map(str, tune.seeds))})"
    return f"{points}{arms} x {trials} x {seeds}: {_many(len(tuning.students), 'student')}"


def planned(tuning: Tuning | None) -> list[str]:
    """What `clpd plan` says of a declared tuning."""
    if tuning is None:
        return []
    ablation, file = tuning.ablation, tuning.plan.file
    if ablation.tuned is None:
        told = f"not done or not named: clpd tune {file}; until then every arm has the file's own values"
    else:
        told = f"chosen values from {ablation.tuned.name}"
    return [f"Tuning: {size(tuning)}; {told}", *(f"Warning: {one}" for one in left_out(ablation, tuning.tune))]


def notes(ablation: Ablation, tuned: TunedPoint | None, file: str, point: str) -> list[str]:
    """What a report says: what was tuned, over what, by what, what was chosen; and what to be warned of.

    Args:
        tuned: at this point of the grid.
        point: its label; empty where there is no grid.
    """
    if tuned is not None:
        at = f" Tuned at this point, {point}, by its own trials." if point else ""
        return [f"{_told(tuned)}{at}", *warnings(ablation, tuned), *_other_trials(ablation, tuned, file)]
    if ablation.tune is None:
        return []
    return [
        f"Not tuned: the file declares tuning over {', '.join(ablation.tune.space)} and names no result of it, so "
        "every arm has the file's own values."
    ]


def _told(tuned: TunedPoint) -> str:
    tune = tuned.tune
    better = "lower" if LOWER_IS_BETTER[tune.metric] else "higher"
    over = "; ".join(f"{key} over {', '.join(map(value_text, values))}" for key, values in tune.space.items())
    chosen = "; ".join(f"{name} {values_text(one.chosen, tune)}" for name, one in tuned.arms.items())
    seeds = f"{_many(len(tune.seeds), 'seed')} of {'its' if len(tune.seeds) == 1 else 'their'} own"
    return (
        f"Tuned by validation {tune.metric} ({better} is better), never on test items: {over}. Every tuned arm had "
        f"{_many(tune.trials, 'trial')} x {seeds} ({', '.join(map(str, tune.seeds))}). Chosen: {chosen}."
    )


def _other_trials(ablation: Ablation, tuned: TunedPoint, file: str) -> list[str]:
    """Where this file would now try other students than those that were tried."""
    now = set(plan_tuning(ablation, Path(file)).students)
    then = {key for one in tuned.arms.values() for trial in one.trials for key in trial.students.values()}
    if now == then:
        return []
    return [
        "Tuned on other students than this file, its data and this code would try now: settings, data or code have "
        "changed since, and the chosen values may no longer be the best."
    ]


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
