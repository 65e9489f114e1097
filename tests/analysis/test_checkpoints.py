"""Exact McNemar: published tables, statsmodels' and scipy's numbers, and what it is not for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as theirs

from clpd_bench.analysis.mcnemar import compare_checkpoints, mcnemar
from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.errors import UserError


def outcomes_of(both: int, only_a: int, only_b: int, neither: int) -> tuple[FloatArray, FloatArray]:
    counts = (both, only_a, only_b, neither)
    return np.repeat([1.0, 1, 0, 0], counts), np.repeat([1.0, 0, 1, 0], counts)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"), [(121, 59, 0.000004), (70, 59, 0.378688), (80, 59, 0.089452), (30, 60, 0.00206)]
)
def test_has_the_p_values_of_vassar_college(only_a: int, only_b: int, p: float) -> None:
    # VassarStats' online computation, as quoted in statsmodels' own tests
    test = mcnemar(*outcomes_of(101, only_a, only_b, 33))
    assert test.p == pytest.approx(p, abs=5e-7)
    assert (test.only_a, test.only_b) == (only_a, only_b)


@settings(deadline=None)
@given(*[st.integers(0, 40)] * 4)
def test_equals_statsmodels_and_the_binomial_test(both: int, only_a: int, only_b: int, neither: int) -> None:
    y_a, y_b = outcomes_of(both + 1, only_a, only_b, neither)
    test = mcnemar(y_a, y_b)
    expected = theirs(np.array([[both + 1, only_a], [only_b, neither]]), exact=True).pvalue if only_a + only_b else 1
    assert test.p == pytest.approx(expected, abs=1e-9)
    if only_a + only_b:
        assert test.p == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue, abs=1e-9)
    assert test.difference == pytest.approx(y_a.mean() - y_b.mean(), abs=1e-12)
    assert mcnemar(y_b, y_a)[1:] == (only_b, only_a, test.p)


def test_scores_between_0_and_1_are_refused() -> None:
    with pytest.raises(UserError, match="0 or 1"):
        mcnemar(np.array([0.5, 1.0]), np.array([0.0, 1.0]))


def test_two_runs_are_compared_on_every_metric_that_is_0_or_1() -> None:
    frames = [
        pd.DataFrame(
            {
                "kind": "reference" if seed < 0 else "arm",
                "arm": arm,
                "seed": seed,
                "benchmark": "sums",
                "metric": metric,
                "filter": "none",
                "item": ["a", "b", "c"],
                "score": scores,
                "difficulty": 0.0,
                "prompt_hash": "p",
                "target_hash": "t",
                "truncated": None,
            }
        )
        for arm, seed, scores in [("clpd", 0, [1.0, 1, 1]), ("teacher", -1, [0.0, 1, 0])]
        for metric in ("exact_match", "response_loss")
    ]
    table = compare_checkpoints(pd.concat(frames), ("clpd", 0), ("teacher", -1))
    assert table[["benchmark", "metric", "items"]].to_numpy().tolist() == [["sums", "exact_match", 3]]
    assert table[["only_a", "only_b", "p"]].iloc[0].tolist() == [2, 0, 0.5]
