"""The paired t test over seeds, with what pairing is worth and whether a difference is shown to be small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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


def equivalence_p(differences_by_seed: FloatArray, margin: float) -> float:
    """The p of "the true difference is not within ± margin", by TOST over paired seeds (Schuirmann 1987).

    The larger p of two one-sided paired t tests, against -margin and against +margin. nan where D_s has
    no spread: then nothing is known of its error (see `paired_t`).

    Raises:
        UserError: see `paired_t`.
    """
    test = paired_t(differences_by_seed)
    if test.sd == 0:
        return float("nan")
    error = test.sd / float(np.sqrt(test.n))
    return float(stats.t.sf((margin - abs(test.difference)) / error, test.n - 1))
