"""Whether a published score is compatible with ours: the tests and intervals by their closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from clpd_bench.analysis.compatibility import compatibility
from clpd_bench.analysis.summary import Summary


def ours(mean: float = 0.46, sd: float = 0.02, seeds: int = 5, items: int = 400, kind: str = "arm") -> Summary:
    return Summary("clpd", kind, "gsm8k", "exact_match", mean, sd if seeds > 1 else math.nan, seeds, items)


@given(
    st.floats(0.1, 0.9),
    st.floats(0.001, 0.1),
    st.integers(2, 8),
    st.floats(0.1, 0.9),
    st.floats(0.001, 0.1),
    st.integers(2, 8),
)
def test_with_two_spreads_it_is_welchs_test(
    mean: float, sd: float, seeds: int, value: float, its_sd: float, its_seeds: int
) -> None:
    """Written out: t of the two means, and Welch and Satterthwaite's degrees of freedom."""
    a, b = sd**2 / seeds, its_sd**2 / its_seeds
    freedom = (a + b) ** 2 / (a**2 / (seeds - 1) + b**2 / (its_seeds - 1))
    p = 2 * stats.t.sf(abs(mean - value) / math.sqrt(a + b), freedom)
    assume(abs(p - 0.05) > 1e-6)
    found = compatibility(ours(mean, sd, seeds), "exact_match", value, its_sd, its_seeds, 0.05)
    assert found.p == pytest.approx(p, rel=1e-9, abs=1e-12)
    assert found.word == ("compatible" if p > 0.05 else "not compatible")


@pytest.mark.parametrize(("sd", "seeds", "further"), [(None, None, 1), (0.01, None, 1), (None, 3, 3), (0.01, 1, 1)])
def test_without_a_spread_or_a_number_of_seeds_it_is_our_prediction_interval(
    sd: float | None, seeds: int | None, further: int
) -> None:
    """mean ± t sd √(1/n + 1/S), from its own two ends."""
    half = 2.7764451051977987 * 0.02 * math.sqrt(1 / further + 1 / 5)  # t of 4 degrees of freedom at .975
    found = compatibility(ours(), "exact_match", 0.46, sd, seeds, 0.05)
    assert (found.low, found.high) == pytest.approx((0.46 - half, 0.46 + half), rel=1e-12)
    for value, word in ((half - 1e-9, "compatible"), (half + 1e-9, "not compatible")):
        for sign in (1, -1):
            assert compatibility(ours(), "exact_match", 0.46 + sign * value, sd, seeds, 0.05).word == word


def test_alpha_widens_the_interval_and_decides_the_test() -> None:
    narrow, wide = (compatibility(ours(), "exact_match", 0.46, None, None, alpha) for alpha in (0.1, 0.01))
    assert wide.low < narrow.low < narrow.high < wide.high
    p = compatibility(ours(), "exact_match", 0.5, 0.02, 5, 0.05).p
    words = [compatibility(ours(), "exact_match", 0.5, 0.02, 5, alpha).word for alpha in (p * 0.99, p * 1.01)]
    assert words == ["compatible", "not compatible"]


def test_of_one_model_it_is_wilsons_interval_over_items() -> None:
    n, share, z = 400, 0.46, 1.959963984540054
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    found = compatibility(ours(seeds=1, kind="reference"), "exact_match", 0.5, 0.01, 5, 0.05)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), rel=1e-12)
    assert found.word == "compatible"
    assert (
        compatibility(ours(seeds=1, kind="reference"), "exact_match", 0.52, None, None, 0.05).word == "not compatible"
    )


@pytest.mark.parametrize(
    ("mine", "metric", "sd", "seeds", "why"),
    [
        (ours(seeds=1), "exact_match", 0.01, 5, "one seed of ours tells no spread over seeds"),
        (ours(seeds=1, kind="reference"), "response_loss", None, None, "one model of ours, and no metric of 0 and 1"),
        (ours(sd=0.0), "exact_match", None, None, "ours does not vary over seeds"),
        (ours(sd=0.0), "exact_match", 0.0, 5, "neither varies over seeds"),
    ],
)
def test_where_nothing_tells_the_spread_it_is_not_testable(
    mine: Summary, metric: str, sd: float | None, seeds: int | None, why: str
) -> None:
    found = compatibility(mine, metric, 0.3, sd, seeds, 0.05)
    assert (found.word, found.by) == ("not testable", why)


def test_a_reference_with_seeds_is_tested_over_them() -> None:
    """As the student before distillation is, where it starts from other weights at each seed."""
    assert compatibility(ours(kind="reference"), "exact_match", 0.46, 0.02, 5, 0.05).p == pytest.approx(1.0)
