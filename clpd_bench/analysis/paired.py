"""The paired t test over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.errors import UserError

NO_SPREAD = 1e-9
"""Differences that agree to this share of their size have only rounding for a spread."""


@dataclass(frozen=True)
class MeanTest:
    """A t test of a mean difference, in the raw units of the outcomes.

    Attributes:
        difference: mean over seeds of D_s.
        low, high: 95% interval, unadjusted.
        p: two-sided, unadjusted; nan if there is no test.
        note: what a reader has to know about this test, or "".
    """

    difference: float
    low: float
    high: float
    p: float
    note: str = ""


@dataclass(frozen=True)
class PairedTest(MeanTest):
    """A paired t test.

    Attributes:
        n: seeds.
        sd: of D_s over seeds.
        d_z: difference / sd, the effect size of a paired design; nan without spread.
    """

    n: int = 0
    sd: float = 0.0
    d_z: float = float("nan")


def seed_differences(y_a: FloatArray, y_b: FloatArray) -> FloatArray:
    """D[seed]: the mean over items of y_A - y_B; both are [seed, item]."""
    return np.asarray((y_a - y_b).mean(axis=1))


def paired_t(differences_by_seed: FloatArray) -> PairedTest:
    """Paired t over seeds: D_s has n - 1 degrees of freedom, and so has its 95% interval.

    The items are held fixed: nothing is claimed about items other than these.

    A t statistic needs a spread. Where D_s is 0 at every seed, p is 1: nothing speaks against no
    difference. Where D_s is one and the same number other than 0 at every seed, t is infinite and
    p = 0 would be a claim of certainty from an estimate of the spread that failed (a score on a
    coarse grid can repeat by chance): p is nan. Either way the interval is the point itself and the
    note says so.

    Args:
        differences_by_seed: D[seed], finite.

    Raises:
        UserError: fewer than two seeds, or a difference that is not finite.
    """
    d = np.asarray(differences_by_seed, dtype=np.float64)
    n = len(d)
    if n < 2:
        raise UserError("a paired test needs at least two complete pairs of seeds", found=n)
    if not np.isfinite(d).all():
        raise UserError("a difference between two runs is not finite", found=d.tolist())

    mean, sd = float(d.mean()), float(d.std(ddof=1))
    no_spread = sd <= NO_SPREAD * float(np.abs(d).max())
    test = t_test(mean, sd / float(np.sqrt(n)), n - 1, no_spread)
    sd, d_z = (0.0, float("nan")) if no_spread else (sd, mean / sd)
    return PairedTest(test.difference, test.low, test.high, test.p, test.note, n, sd, d_z)


def t_test(mean: float, error: float, freedom: int, no_spread: bool) -> MeanTest:
    """Of a mean with this standard error; `no_spread`: the error is none (see `paired_t`)."""
    if no_spread:
        p, note = float("nan"), "no p-value, the differences are identical at every seed"
        if mean == 0:
            p, note = 1.0, "no difference at any seed"
        return MeanTest(mean, mean, mean, p, note)
    half = float(stats.t.ppf(0.975, freedom) * error)
    p = float(2 * stats.t.sf(abs(mean) / error, freedom))
    return MeanTest(mean, mean - half, mean + half, p)
