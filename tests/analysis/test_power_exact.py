"""Power is what statsmodels computes, what the semantics page says, and what simulated tests find."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from clpd_bench.analysis.corrections import holm
from clpd_bench.analysis.power import MOST_SEEDS, found, seeds_needed
from clpd_bench.errors import UserError

ALPHA = 0.05
SEEDS = [2, 3, 4, 5, 6, 8, 10, 14, 20, 50, 200, MOST_SEEDS]
EFFECTS = [0.05, 0.2, 0.5, 1, 1.5, 2, 2.5, 5]
DRAWS = 4000


def oracle(effect: float, seeds: int, alpha: float) -> float:
    power = TTestPower().power(effect, seeds, alpha, alternative="two-sided")
    if np.isnan(power):  # scipy's far tail; where it is nan it is far indeed, and nothing is missing without it
        power = TTestPower().power(effect, seeds, alpha / 2, alternative="larger")
    return float(power)


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("alpha", [0.2, ALPHA, ALPHA / 3, ALPHA / 20])
def test_power_is_that_of_statsmodels(seeds: int, alpha: float) -> None:
    for effect in EFFECTS:
        assert found(effect, seeds, alpha) == pytest.approx(oracle(effect, seeds, alpha), abs=1e-6), effect


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("alpha", [ALPHA, ALPHA / 3, ALPHA / 100])
def test_without_a_difference_power_is_alpha_and_both_directions_are_alike(seeds: int, alpha: float) -> None:
    assert found(0, seeds, alpha) == pytest.approx(alpha, rel=1e-9)
    assert found(-1.3, seeds, alpha) == found(1.3, seeds, alpha)


@pytest.mark.parametrize(("effect", "alone", "worst_of_three"), [(1, 10, 14), (1.5, 6, 8), (2, 5, 6), (2.5, 4, 5)])
def test_seeds_needed_are_those_of_the_semantics_page(effect: float, alone: int, worst_of_three: int) -> None:
    assert seeds_needed(effect, ALPHA) == alone
    assert seeds_needed(effect, ALPHA / 3) == worst_of_three


@pytest.mark.parametrize("effect", [0.1, 0.3, 0.7, 1.2, 3, 8])
@pytest.mark.parametrize("alpha", [ALPHA, ALPHA / 5])
def test_seeds_needed_are_enough_and_one_fewer_are_not(effect: float, alpha: float) -> None:
    needed = seeds_needed(effect, alpha)
    if needed is None:
        assert oracle(effect, MOST_SEEDS, alpha) < 0.8
        return
    assert oracle(effect, needed, alpha) >= 0.8
    assert needed == 2 or oracle(effect, needed - 1, alpha) < 0.8


def test_a_large_sample_is_millers() -> None:
    # n = (z_.025 + z_.2)^2 omega^2 / delta^2, for delta = .03 and omega^2 = 1/9; t instead of z asks for two more.
    closed_form = (stats.norm.isf(0.025) + stats.norm.isf(0.2)) ** 2 / 9 / 0.03**2
    assert seeds_needed(0.03 * 3, ALPHA) == pytest.approx(closed_form, abs=3)


def test_an_interaction_half_the_size_needs_eight_times_the_seeds_where_they_are_many() -> None:
    # Twice the variance, half the effect.
    for effect, seeds in ((0.15, 120), (0.25, 100)):
        half = effect / 2 / 2**0.5
        assert found(half, 8 * seeds, ALPHA) == pytest.approx(found(effect, seeds, ALPHA), abs=0.01)
    assert 6 < (seeds_needed(1 / 2 / 2**0.5, ALPHA) or 0) / 10 < 8  # t's own price falls on few seeds


def test_one_seed_has_no_power_to_speak_of() -> None:
    with pytest.raises(UserError, match="at least two seeds"):
        found(1, 1, ALPHA)


def simulated(seeds: int, effects: tuple[float, float, float]) -> np.ndarray:
    """p[draw, comparison] of three arms against one baseline; a paired difference has a sd of 1."""
    rng = np.random.default_rng([seeds, *(int(10 * effect) for effect in effects)])
    y = rng.normal(0, 0.5**0.5, size=(DRAWS, 4, seeds)) + rng.normal(0, 2, size=(DRAWS, 1, seeds))
    y[:, 1:] += np.array(effects)[None, :, None]
    return np.asarray(stats.ttest_rel(y[:, 1:], y[:, :1], axis=2).pvalue)


@pytest.mark.parametrize("seeds", [3, 5, 8, 14])
@pytest.mark.parametrize("effect", [1.0, 1.5, 2.0])
def test_power_as_computed_is_power_as_simulated(seeds: int, effect: float) -> None:
    p = simulated(seeds, (effect, 0, 0))[:, 0]
    assert np.mean(p <= ALPHA) == pytest.approx(found(effect, seeds, ALPHA), abs=0.02)


@pytest.mark.parametrize(("seeds", "effect"), [(3, 2.0), (5, 1.5), (8, 1.5), (14, 1.0)])
def test_the_worst_of_three_is_a_bound_that_holm_keeps_and_hardly_exceeds(seeds: int, effect: float) -> None:
    p, bound = simulated(seeds, (effect, 0, 0)), found(effect, seeds, ALPHA / 3)
    after_holm = np.mean([holm(row)[0] <= ALPHA for row in p])
    assert after_holm >= np.mean(p[:, 0] <= ALPHA / 3)
    assert after_holm == pytest.approx(bound, abs=0.02)
