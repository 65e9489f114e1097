"""Two single checkpoints, item by item: exact McNemar."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from clpd_bench.analysis.outcomes import FloatArray, Run, outcomes
from clpd_bench.analysis.series import BINARY, metric_series
from clpd_bench.errors import UserError


class McNemar(NamedTuple):
    """Attributes:
    difference: of the shares of items that A and B got right.
    only_a, only_b: items that one got right and the other did not.
    p: two-sided, exact; 1 where no item tells them apart.
    """

    difference: float
    only_a: int
    only_b: int
    p: float


def mcnemar(y_a: FloatArray, y_b: FloatArray) -> McNemar:
    """Exact McNemar of two models' outcomes [item], each 0 or 1.

    The items are the only noise: it compares these two checkpoints, not the methods that made them, which
    differ from seed to seed by more.

    Raises:
        UserError: outcomes other than 0 and 1.
    """
    for y in (y_a, y_b):
        if not np.isin(y, (0.0, 1.0)).all():
            raise UserError("McNemar's test is for outcomes that are 0 or 1")
    only_a, only_b = int((y_a > y_b).sum()), int((y_b > y_a).sum())
    tail = float(stats.binom.cdf(min(only_a, only_b), only_a + only_b, 0.5))
    return McNemar(float((y_a - y_b).mean()), only_a, only_b, min(2 * tail, 1.0))


def compare_checkpoints(items: pd.DataFrame, a: Run, b: Run) -> pd.DataFrame:
    """McNemar of two runs (arm, seed), or references (name, -1), on every benchmark with a 0/1 metric.

    Returns:
        benchmark, metric, items and the fields of McNemar, a row for each series that both have.
    """
    rows = []
    for series in metric_series(items):
        if series.metric not in BINARY:
            continue
        checked = outcomes(items, series)
        place = {run: i for i, run in enumerate(checked.runs)}
        if a in place and b in place:
            test = mcnemar(checked.scores[place[a]], checked.scores[place[b]])
            rows.append((series.benchmark, series.name, len(checked.items), *test))
    return pd.DataFrame(rows, columns=["benchmark", "metric", "items", *McNemar._fields])
