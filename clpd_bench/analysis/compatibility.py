"""Whether a published score and ours could be of one and the same method."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from scipy import stats

from clpd_bench.analysis.series import BINARY
from clpd_bench.analysis.summary import Summary


class Compatibility(NamedTuple):
    """Attributes:
    word: the answer.
    by: what it goes by, or why there is none.
    p: of the test; nan where it goes by an interval.
    low, high: the interval; nan where it goes by a test.
    """

    word: Literal["compatible", "not compatible", "not testable"]
    by: str
    p: float = math.nan
    low: float = math.nan
    high: float = math.nan


def compatibility(
    ours: Summary, metric: str, value: float, sd: float | None, seeds: int | None, alpha: float
) -> Compatibility:
    """Compares what we have of an arm or reference with a published mean.

    - Two runs of ours or more, and a published spread of two or more: Welch's t-test, two-sided, at alpha.
    - Otherwise, with two runs of ours or more: whether the published mean lies in our 1 - alpha prediction
      interval for the mean of n further runs, mean ± t(S - 1) sd √(1/n + 1/S), which takes the published runs to
      spread as ours do; n = 1 where it is not said how many there were.
    - One model of ours that is no seed of an arm, and a metric of 0 and 1: whether it lies in the 1 - alpha
      interval (Wilson's) of that model's share of right items.

    Args:
        metric: one of METRICS.
        value, sd: published, in the metric's own unit (a share of 1 for accuracy).
        seeds: how many runs the published mean is of.
    """
    if ours.seeds > 1:
        return _over_seeds(ours, value, sd, seeds or 1, alpha)
    if ours.kind == "arm":
        return Compatibility("not testable", "one seed of ours tells no spread over seeds")
    if metric not in BINARY:
        return Compatibility("not testable", "one model of ours, and no metric of 0 and 1")
    right = round(ours.mean * ours.items)
    low, high = stats.binomtest(right, ours.items).proportion_ci(1 - alpha, method="wilson")
    return _inside(value, low, high, f"Wilson's interval over {ours.items} items")


def _over_seeds(ours: Summary, value: float, sd: float | None, seeds: int, alpha: float) -> Compatibility:
    if sd is not None and seeds > 1:
        if ours.sd == sd == 0:
            return Compatibility("not testable", "neither varies over seeds")
        p = stats.ttest_ind_from_stats(ours.mean, ours.sd, ours.seeds, value, sd, seeds, equal_var=False).pvalue
        return Compatibility("compatible" if p > alpha else "not compatible", "Welch's t over seeds", float(p))
    if ours.sd == 0:
        return Compatibility("not testable", "ours does not vary over seeds")
    t = stats.t.ppf(1 - alpha / 2, ours.seeds - 1)
    half = float(t) * ours.sd * math.sqrt(1 / seeds + 1 / ours.seeds)
    what = "one further run" if seeds == 1 else f"the mean of {seeds} further runs"
    return _inside(value, ours.mean - half, ours.mean + half, f"prediction interval for {what}")


def _inside(value: float, low: float, high: float, by: str) -> Compatibility:
    word: Literal["compatible", "not compatible"] = "compatible" if low <= value <= high else "not compatible"
    return Compatibility(word, by, low=float(low), high=float(high))
