"""paired_t: scipy's numbers, and an explicit rule where a t statistic means nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clpd_bench.analysis.paired import paired_t, seed_differences
from clpd_bench.errors import UserError

score = st.floats(-3, 3).map(lambda x: round(x, 4))
pairs = st.lists(st.tuples(score, score), min_size=2, max_size=8)


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_equals_scipy(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    y_a, y_b = rng.normal(0.5, 0.1, (2, seeds, 20))
    ours = paired_t(seed_differences(y_a, y_b))
    theirs = stats.ttest_rel(y_a.mean(axis=1), y_b.mean(axis=1))
    interval = theirs.confidence_interval(0.95)
    assert (ours.p, ours.low, ours.high) == pytest.approx((theirs.pvalue, interval.low, interval.high))
    assert ours.n == seeds
    assert ours.d_z == pytest.approx(theirs.statistic / np.sqrt(seeds))


@given(pairs)
def test_swapping_the_arms_flips_the_signs(values: list[tuple[float, float]]) -> None:
    a, b = np.array(values).T[:, :, None]
    ab, ba = paired_t(seed_differences(a, b)), paired_t(seed_differences(b, a))
    assert (ba.difference, ba.low, ba.high) == (-ab.difference, -ab.high, -ab.low)
    assert ba.p == pytest.approx(ab.p, nan_ok=True)


@given(pairs, st.floats(-2, 2))
def test_shifting_an_arm_shifts_its_difference(values: list[tuple[float, float]], shift: float) -> None:
    a, b = np.array(values).T[:, :, None]
    before, after = paired_t(seed_differences(a, b)), paired_t(seed_differences(a + shift, b))
    assert after.difference == pytest.approx(before.difference + shift, abs=1e-9)
    assert after.high - after.low == pytest.approx(before.high - before.low, abs=1e-7)


def test_no_difference_anywhere_is_p_1() -> None:
    test = paired_t(np.zeros(5))
    assert (test.difference, test.low, test.high, test.p) == (0, 0, 0, 1)
    assert "no difference" in test.note


def test_identical_differences_are_no_certainty() -> None:
    base = np.array([0.31, 2.7, 0.9, 3.3, 1.2])[:, None]
    test = paired_t(seed_differences(base + 0.03, base))  # equal but for rounding
    assert np.isnan(test.p)
    assert test.low == test.high == pytest.approx(0.03)
    assert "identical" in test.note


@pytest.mark.parametrize("differences", [[], [0.1], [0.1, float("nan")], [0.1, float("inf")]])
def test_what_has_no_paired_test_is_refused(differences: list[float]) -> None:
    with pytest.raises(UserError):
        paired_t(np.array(differences))
