"""Without a true difference the tests reject as often as they say, and as docs/statistics.md says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from scipy import stats

DRAWS, SEEDS = 800, (3, 5, 8)
FIXED, REDRAWN = "items held fixed", "items redrawn"
Rates = dict[tuple[str, str, int], float]


@pytest.fixture(scope="module")
def rates() -> Rates:
    command = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "error_rates.py"))
    found = command["error_rates"](DRAWS, seed=0, sd=command["Spread"]())
    return {(rate.world, rate.test, rate.seeds): rate.rejected for rate in found}


def binomial_error(rate: float) -> float:
    """Three standard errors."""
    return float(3 * (rate * (1 - rate) / DRAWS) ** 0.5)


@pytest.mark.parametrize("seeds", SEEDS)
def test_the_paired_test_is_nominal_for_these_items(rates: Rates, seeds: int) -> None:
    assert rates[FIXED, "paired t", seeds] == pytest.approx(0.05, abs=binomial_error(0.05))


@pytest.mark.parametrize("seeds", SEEDS)
def test_the_two_way_test_is_at_most_nominal_for_new_items(rates: Rates, seeds: int) -> None:
    assert rates[REDRAWN, "two-way", seeds] <= 0.05 + binomial_error(0.05)


@pytest.mark.parametrize("seeds", SEEDS)
def test_the_paired_test_claims_too_much_of_new_items_and_by_how_much(rates: Rates, seeds: int) -> None:
    """Its standard error lacks the items' share, so that its t is a t stretched by a known factor."""
    seen, unseen = (0.01**2 + 0.5**2 / 500) / seeds, 0.4**2 / 500
    critical = stats.t.isf(0.025, seeds - 1) / (1 + unseen / seen) ** 0.5
    expected = 2 * stats.t.sf(critical, seeds - 1)
    assert rates[REDRAWN, "paired t", seeds] == pytest.approx(expected, abs=binomial_error(expected))
    assert expected > 0.11


@pytest.mark.parametrize("seeds", SEEDS)
def test_the_two_way_test_is_the_more_careful_in_either_world(rates: Rates, seeds: int) -> None:
    assert rates[FIXED, "two-way", seeds] < rates[FIXED, "paired t", seeds]
    assert rates[REDRAWN, "two-way", seeds] < rates[REDRAWN, "paired t", seeds]
