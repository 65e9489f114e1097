"""The cells of table.md: what one arm or reference did on one benchmark and metric."""

from __future__ import annotations

import math

from clpd_bench.analysis.compare import Comparison
from clpd_bench.analysis.metrics import METRICS, Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.reporting.rounding import UNITS, difference, mean_and_sd, p_value


def header(series: Series, items: int) -> str:
    """`gsm8k exact_match (%, higher is better, 1319 items)`."""
    unit = UNITS[series.metric].mean
    return f"{series} ({unit}, {METRICS[series.metric]} is better, {items} items)"


def reference_cell(mean: Summary | None, series: Series) -> str:
    """`31.2`, or `missing`."""
    return "missing" if mean is None else mean_and_sd(mean.mean, mean.sd, UNITS[series.metric])


def arm_cell(mean: Summary | None, test: Comparison | None, series: Series, seeds: int) -> str:
    """`46.3 ± 1.8; +0.8 [-1.1, 2.7], p = .41`, with its number of seeds where that isn't `seeds`.

    The baseline has no test.
    """
    if mean is None:
        return "missing"
    text = mean_and_sd(mean.mean, mean.sd, UNITS[series.metric]) + _fewer(mean.seeds, seeds)
    return text if test is None else f"{text}; {contrast_cell(test, series, seeds)}"


def contrast_cell(test: Comparison, series: Series, seeds: int) -> str:
    """`+0.8 [-1.1, 2.7], p = .41`; the p, adjusted, only for a member of the family."""
    if math.isnan(test.difference):
        return f"no test: {test.method}"
    shown = difference(test.difference, test.low, test.high, UNITS[series.metric])
    text = f"{shown.difference} [{shown.low}, {shown.high}]{_fewer(test.seeds, seeds)}"
    if math.isnan(test.p):
        return f"{text}, no p-value: the same at every seed"
    return text if math.isnan(test.p_adjusted) else f"{text}, {p_value(test.p_adjusted)}"


def _fewer(seeds: int, most: int) -> str:
    return f" ({seeds} of {most} seeds)" if seeds < most else ""
