"""TOST: statsmodels' numbers, and no certainty from differences without a spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from clpd_bench.analysis.paired import equivalence_p


@settings(deadline=None)
@given(st.integers(2, 8), st.floats(0.001, 0.5), st.floats(-0.3, 0.3), st.integers(0, 10**6))
def test_equals_statsmodels(seeds: int, margin: float, shift: float, seed: int) -> None:
    arm, baseline = np.random.default_rng(seed).normal(0.5, 0.05, (2, seeds))
    expected = ttost_paired(arm + shift, baseline, -margin, margin)[0]
    assert equivalence_p(arm + shift - baseline, margin) == pytest.approx(float(expected), abs=1e-9)


def test_the_arms_may_be_swapped_and_a_wider_margin_is_easier() -> None:
    d = np.array([0.01, -0.02, 0.03, 0.005])
    assert equivalence_p(-d, 0.05) == pytest.approx(equivalence_p(d, 0.05))
    assert equivalence_p(d, 0.1) < equivalence_p(d, 0.05) < 0.05 < equivalence_p(d, 0.01)


def test_a_difference_outside_the_margin_is_not_equivalent() -> None:
    assert equivalence_p(np.array([0.11, 0.13, 0.12]), 0.05) > 0.99


def test_without_a_spread_nothing_is_shown() -> None:
    assert np.isnan(equivalence_p(np.full(4, 0.01), 0.05))
