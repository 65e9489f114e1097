"""What few seeds can find: held against statsmodels, and against tests of made-up differences."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from clpd_bench.analysis.paired import paired_t
from clpd_bench.analysis.power import detectable_effect

SEEDS = [2, 3, 5, 30]
ALPHAS = [0.05, 0.05 / 10]


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_the_effect_is_found_with_the_power_asked_for(seeds: int, alpha: float, power: float) -> None:
    effect = detectable_effect(seeds, alpha, power)
    found = TTestPower().power(effect, seeds, alpha, alternative="two-sided")
    if np.isnan(found):  # scipy's far tail; where it is nan it is far indeed, and nothing is missing without it
        found = TTestPower().power(effect, seeds, alpha / 2, alternative="larger")
    assert found == pytest.approx(power, abs=1e-6)


@pytest.mark.parametrize("seeds", [5, 30])
def test_it_is_statsmodels_own_effect(seeds: int) -> None:
    expected = TTestPower().solve_power(nobs=seeds, alpha=0.05, power=0.8, alternative="two-sided")
    assert detectable_effect(seeds, 0.05) == pytest.approx(expected, abs=1e-6)


def test_our_own_test_finds_it_in_80_percent_of_cases() -> None:
    effect, rng = detectable_effect(5, 0.05), np.random.default_rng(0)
    tests = [paired_t(rng.normal(effect, 1, size=5)).p <= 0.05 for _ in range(1000)]
    assert np.mean(tests) == pytest.approx(0.8, abs=4 * (0.8 * 0.2 / 1000) ** 0.5)


def test_more_seeds_find_less_and_more_comparisons_more() -> None:
    by_seeds = [detectable_effect(n, 0.05) for n in SEEDS]
    assert by_seeds == sorted(by_seeds, reverse=True)
    assert detectable_effect(5, 0.05 / 3) > detectable_effect(5, 0.05)
