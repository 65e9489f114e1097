"""The blinded spread knows how much differences vary, and nothing of the differences."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols

from clpd_bench.analysis.spread import blinded, of_differences

Means = dict[tuple[str, int], float]


def means(arms: int, seeds: int, without: int = 0, draw: int = 0) -> Means:
    """Fabricated outcomes, `without` cells missing."""
    rng = np.random.default_rng([arms, seeds, draw])
    shared, y = rng.normal(0, 3, seeds), rng.normal(0, 1, (arms, seeds))
    full = {(f"arm {a}", s): float(5 + shared[s] + y[a, s]) for a in range(arms) for s in range(seeds)}
    for i in rng.permutation(len(full))[:without]:
        full.pop(sorted(full)[int(i) % len(full)])
    return full


def shifted(found: Means, by: dict[str, float]) -> Means:
    return {(arm, seed): value + by[arm] for (arm, seed), value in found.items()}


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4),
    st.integers(0, 5),
    st.integers(0, 50),
)
@settings(max_examples=60, deadline=None)
def test_adding_constants_to_arms_changes_nothing(by: list[float], without: int, draw: int) -> None:
    plain = means(4, 5, without, draw)
    one, other = blinded(plain), blinded(shifted(plain, {f"arm {a}": by[a] for a in range(4)}))
    assert one
    assert other
    assert vars(other.difference) == pytest.approx(vars(one.difference), rel=1e-8)
    assert (other.arm_sd, other.correlation) == pytest.approx((one.arm_sd, one.correlation), rel=1e-8)


@pytest.mark.parametrize("without", [0, 3, 6])
def test_it_is_the_residual_mean_square_of_a_two_way_analysis_of_variance(without: int) -> None:
    plain = means(4, 6, without)
    frame = pd.DataFrame([(arm, seed, y) for (arm, seed), y in plain.items()], columns=["arm", "seed", "y"])
    residual = sm.stats.anova_lm(ols("y ~ C(arm) + C(seed)", frame).fit()).loc["Residual"]
    found = blinded(plain)
    assert found
    assert found.difference.sd == pytest.approx(math.sqrt(2 * residual["mean_sq"]), rel=1e-9)
    assert found.difference.freedom == residual["df"]
    within = frame.groupby("arm")["y"].agg(["var", "count"])
    pooled = (within["var"] * (within["count"] - 1)).sum() / (within["count"] - 1).sum()
    assert found.arm_sd**2 == pytest.approx(pooled, rel=1e-9)
    assert 2 * found.arm_sd**2 * (1 - found.correlation) == pytest.approx(found.difference.sd**2, rel=1e-9)


@pytest.mark.parametrize("arms", [2, 3, 5])
def test_its_variance_is_the_mean_of_all_pairs_variances(arms: int) -> None:
    plain = means(arms, 6)
    y = np.array([[plain[f"arm {a}", s] for s in range(6)] for a in range(arms)])
    pairs = [np.var(y[a] - y[b], ddof=1) for a, b in combinations(range(arms), 2)]
    found = blinded(plain)
    assert found
    assert found.difference.sd**2 == pytest.approx(np.mean(pairs), rel=1e-9)


def test_two_arms_that_share_all_but_a_constant_have_no_spread() -> None:
    plain = means(1, 4)
    plain |= {("other", seed): value + 7 for (_, seed), value in plain.items()}
    found = blinded(plain)
    assert found
    assert found.difference.sd == pytest.approx(0, abs=1e-12)
    assert found.correlation == pytest.approx(1)


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [("a", 0), ("a", 1)],
        [("a", 0), ("b", 0)],
        [("a", 0), ("a", 1), ("b", 0)],
        [("a", 0), ("a", 1), ("b", 2), ("b", 3)],
    ],
    ids=["nothing", "one arm", "one seed", "one pair", "no common seed"],
)
def test_without_two_arms_at_two_common_seeds_there_is_none(cells: list[tuple[str, int]]) -> None:
    assert blinded({cell: float(i * i) for i, cell in enumerate(cells)}) is None


@pytest.mark.parametrize("n", [2, 3, 4, 9, 40])
def test_the_spread_of_differences_has_the_interval_of_a_normal_sample(n: int) -> None:
    d = np.random.default_rng(n).normal(3, 2, n)
    found, sd, freedom = of_differences(d), float(np.std(d, ddof=1)), n - 1
    assert found
    low, high = (sd * math.sqrt(freedom / stats.chi2.ppf(q, freedom)) for q in (0.975, 0.025))
    assert (found.sd, found.low, found.high) == pytest.approx((sd, low, high), rel=1e-9)
    assert of_differences(d + 100).sd == pytest.approx(sd)  # type: ignore[union-attr]
    assert of_differences(d[:1]) is None
