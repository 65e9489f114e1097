"""Outcomes are paired only when they are of the same items, prompts and targets, once each."""

from __future__ import annotations

import pandas as pd
import pytest

from clpd_bench.analysis.metrics import Series, metric_series
from clpd_bench.analysis.outcomes import outcome_array, outcomes
from clpd_bench.errors import UserError

GSM = Series("gsm8k", "exact_match", "strict", "exact_match")


@pytest.fixture
def items() -> pd.DataFrame:
    """Two arms, two seeds, one reference, items q1 to q3."""
    runs = [("standard_kd", 0), ("standard_kd", 1), ("clpd", 0), ("clpd", 1), ("student", -1)]
    rows = [
        {
            "arm": arm,
            "kind": "reference" if seed < 0 else "arm",
            "seed": seed,
            "benchmark": "gsm8k",
            "metric": "exact_match",
            "filter": "strict",
            "item": item,
            "score": float(place + seed),
            "difficulty": 1.0,
            "prompt_hash": f"prompt of {item}",
            "target_hash": f"target of {item}",
        }
        for arm, seed in runs
        for place, item in enumerate(["q1", "q2", "q3"])
    ]
    return pd.DataFrame(rows)


def test_array_is_seed_by_item_whatever_the_order_of_rows(items: pd.DataFrame) -> None:
    checked = outcomes(items.sample(frac=1, random_state=3), GSM)
    assert outcome_array(checked, "clpd", [1, 0]).tolist() == [[1, 2, 3], [0, 1, 2]]
    assert checked.seeds("clpd") == [0, 1]
    assert checked.seeds("student") == []


def test_a_seed_that_is_not_there_is_refused(items: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"clpd .*seed 7.*0, 1"):
        outcome_array(outcomes(items, GSM), "clpd", [0, 7])


def test_an_outcome_that_is_there_twice_is_refused(items: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"'q2' is there twice for clpd at seed 1"):
        outcomes(pd.concat([items, items.iloc[[10]]]), GSM)


@pytest.mark.parametrize(("row", "run"), [(10, "clpd at seed 1"), (13, "student")])
def test_a_missing_item_is_refused(items: pd.DataFrame, row: int, run: str) -> None:
    with pytest.raises(UserError, match=f"{run} has no item 'q2'"):
        outcomes(items.drop(index=row), GSM)


@pytest.mark.parametrize("what", ["prompt", "target"])
def test_another_prompt_or_target_is_refused(items: pd.DataFrame, what: str) -> None:
    items.loc[[10, 11], f"{what}_hash"] = "changed"
    with pytest.raises(UserError, match=f"the {what} of item 'q2' differs between .* and "):
        outcomes(items, GSM)


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_is_refused(items: pd.DataFrame, score: float) -> None:
    items.loc[10, "score"] = score
    with pytest.raises(UserError, match=r"item 'q2' for clpd at seed 1 is (nan|inf)"):
        outcomes(items, GSM)


def test_a_metric_shows_its_filter_only_where_there_are_several(items: pd.DataFrame) -> None:
    assert [one.name for one in metric_series(items)] == ["exact_match"]
    both = pd.concat([items, items.assign(filter="flexible")])
    assert [one.name for one in metric_series(both)] == ["exact_match (flexible)", "exact_match (strict)"]


def test_an_unknown_metric_is_refused(items: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="exact_match, response_loss"):
        metric_series(items.assign(metric="exact_mach"))


def test_a_missing_column_is_refused(items: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="no column 'target_hash'"):
        metric_series(items.drop(columns="target_hash"))
