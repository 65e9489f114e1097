"""Means of arms and references."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from clpd_bench.analysis.metrics import metric_series
from clpd_bench.analysis.outcomes import outcomes


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
        UserError: see `outcomes` and `metric_series`.
    """
    rows = []
    for series in metric_series(items):
        checked = outcomes(items, series)
        means: dict[tuple[str, str], list[float]] = {}
        for (arm, _), mean in zip(checked.runs, checked.scores.mean(axis=1).tolist(), strict=True):
            kind = "reference" if arm in checked.references else "arm"
            means.setdefault((kind, arm), []).append(mean)
        for (kind, arm), values in sorted(means.items()):
            mean = float(np.mean(values))
            sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
            shape = (len(values), len(checked.items))
            rows.append(Summary(arm, kind, series.benchmark, series.name, mean, sd, *shape))
    return pd.DataFrame(rows, columns=Summary._fields)
