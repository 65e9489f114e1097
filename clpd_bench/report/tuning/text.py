"""Tuning in sentences: how much there is, what was chosen, what a reader has to be warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clpd_bench.grid.points import short_names, value_text
from clpd_bench.grid.space import tuned_arms
from clpd_bench.grid.tuned import Tuned, TunedPoint
from clpd_bench.plan.tuning import Tuning, plan_tuning
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.metrics import lower_is_better
from clpd_bench.settings.parts.tune import TuneSettings
from clpd_bench.settings.rules.analysis import compared_arms

TOKENS_ALIKE = 0.01
"""A share: an arm whose presentations are drawn until a number of tokens is reached ends within an example of it."""


def values_text(values: dict[str, Any], tune: TuneSettings) -> str:
    """`2e-05`, or `learning_rate=2e-05 weight_decay=0.1` where several settings were tuned."""
    if len(tune.space) == 1:
        return value_text(next(iter(values.values())))
    return " ".join(f"{key.rpartition('.')[2]}={value_text(value)}" for key, value in values.items())


def warnings(ablation: Ablation, tuned: TunedPoint) -> list[str]:
    """At a point: chosen values on an edge, budgets that are not equal, trials that diverged, arms without a budget."""
    return [*_of_trials(tuned), *_of_arms(ablation, tuned.tune)]


def warnings_everywhere(ablation: Ablation, tuned: Tuned) -> list[str]:
    """Those of all points, each with its point where there are several."""
    many = len(tuned.points) > 1
    found = [(point, one) for point in tuned.points for one in _of_trials(tuned.at(point))]
    return [*(f"{point}: {one}" if many else one for point, one in found), *_of_arms(ablation, tuned.tune)]


def _of_trials(tuned: TunedPoint) -> list[str]:
    return [*_on_edges(tuned), *_unequal(tuned), *_diverged(tuned)]


def _of_arms(ablation: Ablation, tune: TuneSettings) -> list[str]:
    return [*left_out(ablation, tune), *_beside(ablation, tune)]


def _on_edges(tuned: TunedPoint) -> list[str]:
    found = [f"{key} = {value_text(one.chosen[key])} ({name})" for name, one in tuned.arms.items() for key in one.edges]
    if not found:
        return []
    return [f"On the edge of what was tried, so that a better value may lie beyond: {'; '.join(found)}."]


def left_out(ablation: Ablation, tune: TuneSettings) -> list[str]:
    """Compared arms that are not tuned while others are: known before anything is tuned."""
    tuned = tuned_arms(ablation, tune)
    names = [name for name in compared_arms(ablation) if name not in tuned]
    if not names:
        return []
    verb = "is" if len(names) == 1 else "are"
    return [f"Unequal budgets: {', '.join(names)} {verb} compared with tuned arms and not tuned, which favours those."]


def _beside(ablation: Ablation, tune: TuneSettings) -> list[str]:
    ours = [*tuned_arms(ablation, tune), *compared_arms(ablation)]
    names = [name for name in ablation.arms if name not in ours]
    return [f"Not tuned, and with the file's own values: {', '.join(names)} (beside the comparison)."] if names else []


def _unequal(tuned: TunedPoint) -> list[str]:
    budgets = {name: one.budget for name, one in tuned.arms.items()}
    out = []
    if len({one.students for one in budgets.values()}) > 1:
        counts = ", ".join(f"{name} {one.students}" for name, one in budgets.items())
        out.append(f"Unequal budgets: what was tuned does not reach every arm alike; different students: {counts}.")
    # A student that diverged may have stopped early; it was granted as much.
    whole = {name: one.tokens for name, one in budgets.items() if not any(t.diverged for t in tuned.arms[name].trials)}
    if len(out) == 0 and whole and max(whole.values()) - min(whole.values()) > TOKENS_ALIKE * max(whole.values()):
        counts = ", ".join(f"{name} {tokens:,}" for name, tokens in whole.items())
        out.append(f"Unequal budgets: training tokens of all trials: {counts}.")
    return out


def _diverged(tuned: TunedPoint) -> list[str]:
    found = [
        f"{name} at {values_text(trial.values, tuned.tune)} ({trial.diverged} of {trial.n})"
        for name, one in tuned.arms.items()
        for trial in one.trials
        if trial.diverged
    ]
    return [f"Trials that diverged, which counts as the worst score: {'; '.join(found)}."] if found else []


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
        clause = f"not done or not named: clpd tune {file}; until then every arm has the file's own values"
    else:
        clause = f"chosen values from {ablation.tuned.name}"
    return [f"Tuning: {size(tuning)}; {clause}", *(f"Warning: {one}" for one in left_out(ablation, tuning.tune))]


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
    better = "lower" if lower_is_better(tune.metric) else "higher"
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


LEARNING_RATE = "student.training.learning_rate"


def caveats(ablation: Ablation, tuned: TunedPoint | None) -> list[str]:
    """Clauses on compared arms: what they were tuned over, where that was not the learning rate how they came by
    theirs, and which chosen values are at an end of what was tried.

    Args:
        ablation: one point's.
        tuned: what was tuned there; a setting with but one value to try was not.
    """
    names = compared_arms(ablation)
    mine = {name: tuned.arms[name] for name in names if name in tuned.arms} if tuned else {}
    over = [key for key, values in tuned.tune.space.items() if len(values) > 1] if tuned and mine else []
    if not tuned or not over:
        return [f"{_rates(ablation, names)}, not tuned"]
    left = [name for name in names if name not in mine]
    keys = ", ".join(over)
    clause = (
        f"tuned over {keys} in {', '.join(mine)}, not in {', '.join(left)}" if left else f"each arm tuned over {keys}"
    )
    return [*([] if LEARNING_RATE in over else [_rates(ablation, names)]), clause, *_edges(tuned, names)]


def _rates(ablation: Ablation, names: list[str]) -> str:
    rates = {name: resolve(ablation, name).student.training.learning_rate for name in ablation.arms}
    if len({*rates.values()}) == 1:
        return "at one learning rate for all arms"
    one = len({rates[name] for name in names}) == 1
    return "at one learning rate for all compared arms" if one else "at learning rates set by hand"


def _edges(tuned: TunedPoint, names: list[str]) -> list[str]:
    """`clpd's learning rate is the largest that was tried`; arms at the same end stand together."""
    called = short_names(tuned.tune.space)
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        for key in tuned.arms[name].edges if name in tuned.arms else ():
            end = "largest" if tuned.arms[name].chosen[key] == max(tuned.tune.space[key]) else "smallest"
            found.setdefault((called[key].replace("_", " "), end), []).append(name)
    return [
        f"{'every arm' if arms == names else ', '.join(arms)}'s {key} is the {end} that was tried"
        for (key, end), arms in found.items()
    ]
