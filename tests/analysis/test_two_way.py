"""The two-way test: Petersen's panel, statsmodels' numbers, and what must not change it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups, cov_white_simple

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.analysis.paired import paired_t
from clpd_bench.analysis.two_way import Moments, cluster_variance, moments, two_way
from clpd_bench.errors import UserError

PETERSEN = Path(statsmodels.stats.__file__).parent / "tests" / "test_data.txt"


def panel(seeds: int, items: int, seed: int = 0, sd: tuple[float, float, float] = (0.02, 0.3, 0.4)) -> FloatArray:
    """D[seed, item] with an effect a seed, an effect an item, and noise."""
    rng = np.random.default_rng(seed)
    by_seed, by_item = rng.normal(0, sd[0], (seeds, 1)), rng.normal(0, sd[1], items)
    return np.asarray(0.05 + by_seed + by_item + rng.normal(0, sd[2], (seeds, items)))


def test_petersens_panel_has_his_standard_errors() -> None:
    firm, year, x, y = np.loadtxt(PETERSEN).T
    x_centred = x - x.mean()
    slope = (x_centred * y).sum() / (x_centred**2).sum()
    residual = y - y.mean() - slope * x_centred
    terms = np.empty((10, 500))  # the slope's error is the sum of these
    terms[year.astype(int) - 1, firm.astype(int) - 1] = x_centred * residual / (x_centred**2).sum()

    variance = cluster_variance([moments(terms * terms.size)])
    assert slope == pytest.approx(1.0348, abs=5e-5)
    errors = [variance.item**0.5, variance.seed**0.5, variance.total**0.5]
    assert errors == pytest.approx([0.0506, 0.0334, 0.0536], abs=5e-5)


@pytest.mark.parametrize(("seeds", "items"), [(2, 2), (3, 40), (8, 25), (5, 300)])
def test_variances_are_statsmodels(seeds: int, items: int) -> None:
    d = panel(seeds, items, seed=seeds)
    fit = OLS(d.ravel(), np.ones(d.size)).fit()
    seed_of, item_of = (index.ravel() for index in np.indices(d.shape))
    both, by_seed, by_item = (float(v[0, 0]) for v in cov_cluster_2groups(fit, seed_of, item_of))
    ours = cluster_variance([moments(d)])
    assert (ours.seed, ours.item) == pytest.approx((by_seed, by_item), rel=1e-9)
    assert ours.seed + ours.item - ours.cell == pytest.approx(both, rel=1e-9)
    assert ours.total == max(ours.seed + ours.item - ours.cell, ours.seed, ours.item)


def test_p_and_interval_are_those_of_t_with_one_seed_less() -> None:
    d = panel(5, 60)
    test = two_way([moments(d)])
    error = cluster_variance([moments(d)]).total ** 0.5
    expected = stats.t.interval(0.95, 4, d.mean(), error)
    assert (test.low, test.high) == pytest.approx(expected, abs=1e-9)
    assert test.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, 4), abs=1e-9)


def test_the_mean_of_benchmarks_has_statsmodels_variance_of_a_mean_of_coefficients() -> None:
    several = [panel(4, items, seed=items) for items in (20, 35, 50)]
    y = np.concatenate([d.ravel() for d in several])
    place = np.concatenate([np.full(d.size, i) for i, d in enumerate(several)])
    seed_of = np.concatenate([np.indices(d.shape)[0].ravel() for d in several])
    item_of = np.concatenate([np.indices(d.shape)[1].ravel() + 1000 * i for i, d in enumerate(several)])
    fit = OLS(y, np.eye(3)[place]).fit()
    _, by_seed, by_item = cov_cluster_2groups(fit, seed_of, item_of, use_correction=False)
    cell = cov_white_simple(fit, use_correction=False)
    mean = np.full(3, 1 / 3)

    ours = cluster_variance([moments(d) for d in several])
    assert ours.seed == pytest.approx(mean @ by_seed @ mean * 4 / 3, rel=1e-9)
    items = np.array([20, 35, 50])  # items of different benchmarks are independent: no covariances, own corrections
    assert ours.item == pytest.approx((np.diag(by_item) * items / (items - 1)).sum() / 9, rel=1e-9)
    cells = 4 * items
    assert ours.cell == pytest.approx((np.diag(cell) * cells / (cells - 1)).sum() / 9, rel=1e-9)
    assert by_item - np.diag(np.diag(by_item)) == pytest.approx(np.zeros((3, 3)), abs=1e-12)


@pytest.mark.parametrize("sd", [(0.02, 0.3, 0.4), (0.5, 0.0, 0.01), (0.0, 0.0, 1.0)])
def test_it_never_claims_more_than_the_paired_test(sd: tuple[float, float, float]) -> None:
    for seed in range(20):
        d = panel(4, 30, seed, sd)
        assert two_way([moments(d)]).p >= paired_t(d.mean(axis=1)).p - 1e-12


arrays = st.builds(panel, st.integers(2, 6), st.integers(2, 12), st.integers(0, 10**6))


@settings(deadline=None)
@given(arrays, st.integers(0, 10**6))
def test_permuting_seeds_or_items_changes_nothing(d: FloatArray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    permuted = d[rng.permutation(len(d))][:, rng.permutation(d.shape[1])]
    assert numbers(permuted) == pytest.approx(numbers(d), abs=1e-9)


@settings(deadline=None)
@given(arrays)
def test_swapping_the_arms_flips_the_signs(d: FloatArray) -> None:
    difference, low, high, p = numbers(d)
    assert numbers(-d) == pytest.approx((-difference, -high, -low, p), abs=1e-9)


@settings(deadline=None)
@given(arrays, st.floats(-2, 2))
def test_shifting_an_arm_shifts_its_difference(d: FloatArray, shift: float) -> None:
    assert numbers(d + shift)[:3] == pytest.approx([value + shift for value in numbers(d)[:3]], abs=1e-9)


@settings(deadline=None)
@given(arrays, st.floats(0.01, 100))
def test_scaling_scales_and_leaves_p(d: FloatArray, factor: float) -> None:
    difference, low, high, p = numbers(d)
    assert numbers(factor * d) == pytest.approx((factor * difference, factor * low, factor * high, p), rel=1e-7)


def numbers(d: FloatArray) -> tuple[float, float, float, float]:
    test = two_way([moments(d)])
    return test.difference, test.low, test.high, test.p


def test_fewer_seeds_are_as_if_the_others_had_never_been() -> None:
    d = panel(6, 30)
    some, alone = moments(d, [3, 4, 5, 6, 7, 8]).at([4, 8]), moments(d[[1, 5]], [4, 8])
    assert (some.seeds, some.items) == (alone.seeds, alone.items)
    assert some.means == pytest.approx(alone.means)
    assert some.products == pytest.approx(alone.products)


def test_items_alone_are_a_spread_where_seeds_agree() -> None:
    d = np.tile([0.1, 0.3, 0.2, 0.6], (3, 1))
    assert np.isnan(paired_t(d.mean(axis=1)).p)
    error = float(np.std(d[0], ddof=1)) / 2
    assert two_way([moments(d)]).p == pytest.approx(2 * stats.t.sf(0.3 / error, 2))


def test_no_spread_at_all_is_no_certainty() -> None:
    assert np.isnan(two_way([moments(np.full((3, 4), 0.1))]).p)
    assert two_way([moments(np.zeros((3, 4)))]).p == 1


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_a_single_seed_or_item_is_refused(shape: tuple[int, int]) -> None:
    drawn: Moments = moments(np.random.default_rng(0).normal(size=shape))
    with pytest.raises(UserError, match="at least two"):
        two_way([drawn])
