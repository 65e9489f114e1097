"""What a reader of tuned results has to be warned of: edges, unequal budgets, arms without one, divergence."""

from __future__ import annotations

from typing import Any

from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.axes import value_text
from clpd_bench.settings.factorial import compared_arms
from clpd_bench.settings.space import tuned_arms
from clpd_bench.settings.tune import TuneSettings
from clpd_bench.settings.tuned import Tuned, TunedPoint

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
