"""Means of a run over its items, and their interval over seeds."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from scipy import stats

from clpd_bench.analysis.metrics import Series
from clpd_bench.analysis.outcomes import FloatArray

SeedScores = dict[tuple[str, str], dict[int, float]]
"""{(kind, name): {seed: mean over items}}, seeds ascending."""


def rows_of(items: pd.DataFrame, series: Series) -> pd.DataFrame:
    """The items of one metric series."""
    mine = (
        (items["benchmark"] == series.benchmark)
        & (items["metric"] == series.metric)
        & (items["filter"] == series.filter)
    )
    return items[mine]


def means_by_seed(items: pd.DataFrame, series: Series) -> SeedScores:
    """The mean over items of every run, in the metric's own unit."""
    means = rows_of(items, series).groupby(["kind", "arm", "seed"], sort=True, observed=True)["score"].mean()
    out: SeedScores = {}
    for key, mean in means.to_dict().items():
        kind, arm, seed = cast(tuple[str, str, int], key)
        out.setdefault((kind, arm), {})[seed] = float(mean)
    return out


def seed_means(items: pd.DataFrame, series: Series) -> dict[tuple[str, str], FloatArray]:
    """{(kind, name): shape [seeds], the mean over items at each seed}, in the metric's own unit."""
    return {name: np.array([*by_seed.values()]) for name, by_seed in means_by_seed(items, series).items()}


def mean_interval(values: FloatArray) -> tuple[float, float, float]:
    """The mean and its 95% t-interval over seeds; of a single seed, the point itself."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean, mean
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half
