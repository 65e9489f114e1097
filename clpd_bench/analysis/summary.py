"""Means of arms and references, and of one model over its items with an interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from clpd_bench.analysis.outcomes import Evaluation, FloatArray, Outcomes, benchmark_outcomes, by_benchmark
from clpd_bench.analysis.series import BINARY, check_columns, named_series


def item_interval(scores: FloatArray, metric: str) -> tuple[float, float, float]:
    """Mean and 95% interval over items, the model held fixed: Wilson's for a metric of 0 and 1, else Student's t.

    Args:
        scores: shape [items].

    Returns:
        Mean, low, high; the ends are nan where one item alone leaves t without a spread.
    """
    n, mean = len(scores), float(scores.mean())
    if metric in BINARY:
        low, high = proportion_confint(round(float(scores.sum())), n, alpha=0.05, method="wilson")
        return mean, float(low), float(high)
    if n < 2:
        return mean, math.nan, math.nan
    half = float(stats.t.ppf(0.975, n - 1)) * float(scores.std(ddof=1)) / math.sqrt(n)
    return mean, mean - half, mean + half


class Summary(NamedTuple):
    """One row of what `summary` returns; see there."""

    arm: str
    kind: str
    benchmark: str
    metric: str
    mean: float
    sd: float
    seeds: int
    items: int


def summary(items: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread of every arm and reference on every benchmark and metric.

    Returns:
        The fields of Summary, ordered by benchmark, metric, kind and arm. `kind` is "arm" or
        "reference"; `mean` is the mean over seeds of the means over items, `sd` their standard
        deviation over seeds (n - 1; nan for a single one, as a reference is), both in the metric's
        own unit.

    Raises:
        UserError: see `benchmark_outcomes` and `metric_series`.
    """
    check_columns(items)
    return summary_of_benchmarks(by_benchmark(items))


def summary_of_benchmarks(benchmarks: Iterable[tuple[str, Iterable[Evaluation]]]) -> pd.DataFrame:
    """`summary` for outcomes that need not fit into memory; see `compare_benchmarks`."""
    rows = {
        (benchmark, *key): _rows(benchmark, checked)
        for benchmark, evaluations in benchmarks
        for key, checked in benchmark_outcomes(benchmark, evaluations).items()
    }
    named = [row._replace(metric=series.name) for series in named_series(rows) for row in rows[series[:3]]]
    return pd.DataFrame(named, columns=Summary._fields)


def _rows(benchmark: str, checked: Outcomes) -> list[Summary]:
    """Of one series, which is named later."""
    means: dict[tuple[str, str], list[float]] = {}
    for (arm, _), mean in zip(checked.runs, checked.scores.mean(axis=1).tolist(), strict=True):
        kind = "reference" if arm in checked.references else "arm"
        means.setdefault((kind, arm), []).append(mean)
    rows = []
    for (kind, arm), values in sorted(means.items()):
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
        rows.append(Summary(arm, kind, benchmark, "", float(np.mean(values)), sd, len(values), len(checked.items)))
    return rows
