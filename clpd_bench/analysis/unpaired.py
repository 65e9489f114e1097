"""What pairing is worth: each arm's own spread, their correlation, and Welch's test without pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.analysis.paired import NO_SPREAD

NAN = float("nan")


class Unpaired(NamedTuple):
    """Of two arms' means over items at the same seeds.

    Attributes:
        sd_arm, sd_baseline: over seeds.
        correlation: of the pairs; nan where an arm has no spread. At 0 or below pairing bought nothing.
        welch_p: two-sided, of Welch's t test; nan without spread.
    """

    sd_arm: float
    sd_baseline: float
    correlation: float
    welch_p: float


def unpaired(arm: FloatArray, baseline: FloatArray) -> Unpaired:
    """Of means [seed] of two arms, at least two seeds."""
    n = len(arm)
    sd_arm, sd_baseline = _sd(arm), _sd(baseline)
    correlation = NAN
    if sd_arm > 0 and sd_baseline > 0:
        products = float(((arm - arm.mean()) * (baseline - baseline.mean())).sum())
        correlation = min(1.0, max(-1.0, products / (n - 1) / (sd_arm * sd_baseline)))
    a, b = sd_arm**2 / n, sd_baseline**2 / n
    if a + b == 0:
        return Unpaired(sd_arm, sd_baseline, correlation, NAN)
    freedom = (n - 1) * (a + b) ** 2 / (a**2 + b**2)
    t = abs(float(arm.mean() - baseline.mean())) / np.sqrt(a + b)
    return Unpaired(sd_arm, sd_baseline, correlation, float(2 * stats.t.sf(t, freedom)))


def _sd(values: FloatArray) -> float:
    sd = float(values.std(ddof=1))
    return 0.0 if sd <= NO_SPREAD * float(np.abs(values).max()) else sd
