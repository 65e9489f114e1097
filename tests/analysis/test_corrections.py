"""Holm: statsmodels' numbers, a published example, and gaps that make nothing cheaper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from clpd_bench.analysis.corrections import holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_holm_rejects_three_of_benjamini_and_hochbergs_fifteen() -> None:
    p_values = [  # Benjamini and Hochberg 1995, section 3.2
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
    assert (holm(p_values) <= 0.05).sum() == 3


def test_a_test_that_could_not_be_made_keeps_its_place_in_the_family() -> None:
    with_gap = holm([0.02, float("nan"), 0.01])
    assert np.isnan(with_gap[1])
    assert with_gap[[0, 2]] == pytest.approx(holm([0.02, 1.0, 0.01])[[0, 2]])


def test_an_empty_family_has_no_p_values() -> None:
    assert holm([]).shape == (0,)
