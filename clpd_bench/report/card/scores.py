"""The scores of one model, and those of its arm over seeds."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from clpd_bench.analysis.outcomes import outcomes
from clpd_bench.analysis.series import Series, metric_series
from clpd_bench.analysis.summary import Summary, item_interval, summary
from clpd_bench.plan.plan import Plan
from clpd_bench.report.card.subject import Subject
from clpd_bench.results.collect import collect_items, mean_interval, seed_means
from clpd_bench.results.truncation import truncated_shares
from clpd_bench.store import Store
from clpd_bench.store.artifacts import damaged


class Score(NamedTuple):
    """One metric of one benchmark, in its own unit.

    Attributes:
        low, high: 95% interval over items, the model held fixed.
        items: how many.
        arm: the arm's mean and standard deviation over seeds; None where no other seed is done.
        truncated: the share of the outputs on its benchmark that ended by length; None where nothing was generated.
        arm_low, arm_high: 95% interval of that mean over seeds, the items held fixed.
    """

    series: Series
    mean: float
    low: float
    high: float
    items: int
    truncated: float | None
    arm: Summary | None = None
    arm_low: float = float("nan")
    arm_high: float = float("nan")


def scores_of(subject: Subject, store: Store) -> tuple[list[Score], list[str]]:
    """The scores that there are, and a sentence for each evaluation of the model that is not done.

    Raises:
        UserError: an evaluation is damaged, or those of the arm's seeds are not of the same items.
    """
    _check(subject.alone, store)
    items, missing = collect_items(subject.alone, store)
    if not len(items):
        return [], missing
    _check(subject.all_seeds, store)
    everyone, _ = collect_items(subject.all_seeds, store)
    arm = _arm(everyone) if len(everyone) else {}
    name = str(items["arm"].iloc[0])
    cut = truncated_shares(items, [name])
    found = []
    for series in metric_series(items):
        scores = outcomes(items, series).scores[0]
        truncated = cut.get(series.benchmark, {}).get(name)
        one = Score(series, *item_interval(scores, series.metric), len(scores), truncated)
        if series[:3] in arm:
            mean, low, high = arm[series[:3]]
            one = one._replace(arm=mean, arm_low=low, arm_high=high)
        found.append(one)
    return found, missing


def _arm(items: pd.DataFrame) -> dict[tuple[str, str, str], tuple[Summary, float, float]]:
    """By series: what reports say of an arm, where it has two seeds or more."""
    summaries = {
        (row.benchmark, row.metric): row for row in (Summary(*r) for r in summary(items).itertuples(index=False))
    }
    out = {}
    for series in metric_series(items):
        (values,) = seed_means(items, series).values()
        if len(values) > 1:
            _, low, high = mean_interval(values)
            out[series[:3]] = (summaries[series.benchmark, series.name], low, high)
    return out


def _check(plan: Plan, store: Store) -> None:
    """Raise a UserError if outcomes are not what was published: a card is believed where no store is at hand."""
    for evaluated in [*plan.cells, *plan.references]:
        for key in evaluated.evaluations.values():
            if store.is_done(key) and (problems := store.verify(key)):
                raise damaged(store.artifact(key), problems[0])
