"""Outcomes are paired only when they are of the same items, prompts and targets, once each."""

from __future__ import annotations

import pandas as pd
import pytest

from clpd_bench.analysis.outcomes import Evaluation, benchmark_outcomes, by_benchmark, outcome_array, outcomes
from clpd_bench.analysis.series import Series, metric_series
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
            "truncated": None,
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


def test_the_first_differing_item_is_named(items: pd.DataFrame) -> None:
    items.loc[items["item"].isin(["q2", "q3"]) & (items["arm"] == "standard_kd"), "prompt_hash"] = "changed"
    with pytest.raises(UserError, match="the prompt of item 'q2' differs between clpd at seed 0 and standard_kd at"):
        outcomes(items, GSM)


@pytest.mark.parametrize(
    ("left", "message"), [(["q3"], "has no item 'q1'"), (["q1", "q2", "q3", "q0"], "no item 'q0'")]
)
def test_an_arm_with_other_items_is_refused(items: pd.DataFrame, left: list[str], message: str) -> None:
    others = items[(items["arm"] == "standard_kd") & (items["item"] == "q3")]
    others = pd.concat([others.assign(item=item) for item in left])
    with pytest.raises(UserError, match=message):
        outcomes(pd.concat([items[items["arm"] != "standard_kd"], others]), GSM)


def evaluations(items: pd.DataFrame) -> list[Evaluation]:
    ((_, found),) = by_benchmark(items)
    return list(found)


def test_evaluations_are_aligned_whatever_their_order_of_rows_and_runs(items: pd.DataFrame) -> None:
    two = pd.concat([items, items.assign(filter="flexible", score=items["score"] + 10)])
    expected = benchmark_outcomes("gsm8k", evaluations(two))
    shuffled = [one._replace(items=one.items.sample(frac=1, random_state=i)) for i, one in enumerate(evaluations(two))]
    mixed = benchmark_outcomes("gsm8k", [*shuffled[:3][::-1], *evaluations(two)[3:]])
    assert set(mixed) == {("exact_match", "strict"), ("exact_match", "flexible")}
    for key, series in mixed.items():
        assert (series.runs, series.items) == (expected[key].runs, expected[key].items)
        assert series.scores.tolist() == expected[key].scores.tolist()


@pytest.mark.parametrize("kind", ["object", "category", "string[pyarrow]"])
def test_strings_may_be_of_any_type(items: pd.DataFrame, kind: str) -> None:
    texts = ["arm", "kind", "benchmark", "metric", "filter", "item", "prompt_hash", "target_hash"]
    typed = items.astype(dict.fromkeys(texts, kind))
    assert outcomes(typed, GSM).scores.tolist() == outcomes(items, GSM).scores.tolist()
    typed = typed.astype({"prompt_hash": "object"})
    typed.loc[10, "prompt_hash"] = "changed"
    with pytest.raises(UserError, match="the prompt of item 'q2' differs"):
        outcomes(typed.astype({"prompt_hash": kind}), GSM)


def test_a_run_that_comes_twice_is_refused(items: pd.DataFrame) -> None:
    found = evaluations(items)
    with pytest.raises(UserError, match="is there twice for clpd at seed 0"):
        benchmark_outcomes("gsm8k", [*found, found[0]])


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
    with pytest.raises(UserError, match="exact_match, acc, acc_norm, response_loss"):
        metric_series(items.assign(metric="exact_mach"))


def test_no_benchmark_may_be_called_like_the_macro_average(items: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="mean over benchmarks"):
        metric_series(items.assign(benchmark="macro average"))


def test_a_missing_column_is_refused(items: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="no column 'target_hash'"):
        metric_series(items.drop(columns="target_hash"))
