"""Corrections: statsmodels' numbers, a published example, and gaps that make nothing cheaper."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from clpd_bench.analysis.corrections import CORRECTIONS, benjamini_hochberg, bonferroni, holm, uncorrected

FIFTEEN = [  # Benjamini and Hochberg 1995, section 3.2
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]


@pytest.fixture(autouse=True, scope="module")
def _garbage_stays() -> Iterator[None]:
    """statsmodels' Holm collects garbage each time, which takes a hundred times as long as the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda: 0)
        yield


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_holm_rejects_three_of_benjamini_and_hochbergs_fifteen() -> None:
    assert (holm(FIFTEEN) <= 0.05).sum() == 3


def test_a_test_that_could_not_be_made_keeps_its_place_in_the_family() -> None:
    with_gap = holm([0.02, float("nan"), 0.01])
    assert np.isnan(with_gap[1])
    assert with_gap[[0, 2]] == pytest.approx(holm([0.02, 1.0, 0.01])[[0, 2]])


def test_an_empty_family_has_no_p_values() -> None:
    assert holm([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_bonferroni_and_benjamini_hochberg_equal_statsmodels(p_values: list[float]) -> None:
    assert bonferroni(p_values) == pytest.approx(multipletests(p_values, method="bonferroni")[1], abs=1e-9)
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1], abs=1e-9)


def test_of_their_fifteen_benjamini_and_hochberg_reject_four_and_bonferroni_three() -> None:
    assert (benjamini_hochberg(FIFTEEN) <= 0.05).sum() == 4
    assert (bonferroni(FIFTEEN) <= 0.05).sum() == 3


def test_a_test_that_was_not_made_counts_in_a_family_and_not_in_a_table() -> None:
    gap = [0.02, float("nan"), 0.01]
    assert bonferroni(gap)[[0, 2]].tolist() == [0.06, 0.03]
    assert benjamini_hochberg(gap)[[0, 2]].tolist() == benjamini_hochberg([0.02, 0.01]).tolist()
    assert np.isnan([benjamini_hochberg(gap)[1], bonferroni(gap)[1], uncorrected(gap)[1]]).all()
    assert uncorrected(gap)[0] == 0.02


def test_an_empty_table_has_no_p_values() -> None:
    assert all(correct([]).shape == (0,) for correct in (*CORRECTIONS.values(), benjamini_hochberg))
