"""The mean of one model over its items, and how sure it is of other items like these."""

from __future__ import annotations

import math

from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from clpd_bench.analysis.metrics import BINARY
from clpd_bench.analysis.outcomes import FloatArray


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
