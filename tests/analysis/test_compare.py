"""The whole comparison, against an independent script and under what must not change it."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clpd_bench.analysis.comparisons import Comparison, compare
from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.analysis.summary import summary
from clpd_bench.errors import UserError

EFFECTS = {"standard_kd": 0.0, "data_ordering": 0.0, "teacher_scheduling": 0.01, "clpd": 0.03, "sft": -0.02}
FAMILY = ("data_ordering", "teacher_scheduling", "clpd", "interaction")
DECLARATION = Declaration("standard_kd", FAMILY, "holm", 0.05, "gsm8k", "exact_match")
FACTORIAL = Factorial("standard_kd", "data_ordering", "teacher_scheduling", "clpd")
SEEDS, ITEMS = 8, 60
NUMBERS = ["difference", "low", "high", "p", "p_adjusted"]


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    """EFFECTS on top of an effect a seed, an effect an item, and noise a (run, item)."""
    rng = np.random.default_rng(11)
    seed_effect, item_effect = rng.normal(0, 0.02, SEEDS), rng.normal(0.5, 0.2, ITEMS)
    runs = [(arm, seed, effect + seed_effect[seed]) for arm, effect in EFFECTS.items() for seed in range(SEEDS)]
    runs.append(("student", -1, -0.2))
    frames = [
        pd.DataFrame(
            {
                "arm": arm,
                "kind": "reference" if seed < 0 else "arm",
                "seed": seed,
                "benchmark": "gsm8k",
                "metric": "exact_match",
                "filter": "strict",
                "item": [f"q{i:03}" for i in range(ITEMS)],
                "score": level + item_effect + rng.normal(0, 0.05, ITEMS),
                "difficulty": item_effect,
                "prompt_hash": [f"p{i}" for i in range(ITEMS)],
                "target_hash": [f"t{i}" for i in range(ITEMS)],
                "truncated": None,
            }
        )
        for arm, seed, level in runs
    ]
    return pd.concat(frames, ignore_index=True)


def row_of(comparisons: pd.DataFrame, arm: str) -> pd.Series:
    return comparisons[comparisons["arm"] == arm].iloc[0]


def test_injected_effects_equal_an_independent_script(items: pd.DataFrame, tmp_path: Path) -> None:
    table = tmp_path / "items.csv"
    items.to_csv(table, index=False)
    oracle = runpy.run_path(str(Path(__file__).with_name("independent.py")))["analyse"]
    four = ("clpd", "data_ordering", "teacher_scheduling", "standard_kd")
    expected = oracle(table, "standard_kd", FAMILY[:3], four)

    comparisons = compare(items, DECLARATION, FACTORIAL)
    for name, numbers in expected.items():
        assert row_of(comparisons, name)[NUMBERS].tolist() == pytest.approx(numbers, abs=1e-9, rel=0)

    null, effect = row_of(comparisons, "data_ordering"), row_of(comparisons, "clpd")
    assert null["low"] < 0 < null["high"]
    assert null["p_adjusted"] > 0.05
    assert effect["low"] < 0.03 < effect["high"]
    assert effect["p_adjusted"] < 0.05


def test_every_arm_has_a_row_and_only_the_family_a_corrected_p(items: pd.DataFrame) -> None:
    comparisons = compare(items, DECLARATION, FACTORIAL)
    assert list(comparisons.columns) == list(Comparison._fields)
    assert comparisons["arm"].tolist() == [*FAMILY[:3], "sft", "interaction"]
    assert comparisons["baseline"].tolist() == ["standard_kd"] * 4 + [""]
    assert comparisons["p_adjusted"].isna().tolist() == [False, False, False, True, False]
    assert set(comparisons["method"]) == {"paired t over seeds, these items"}
    assert (comparisons["seeds"] == SEEDS).all()
    assert (comparisons["items"] == ITEMS).all()
    without = compare(items, Declaration("standard_kd", FAMILY[:3], "holm", 0.05, "gsm8k", "exact_match"), FACTORIAL)
    assert np.isnan(row_of(without, "interaction")["p_adjusted"])
    assert row_of(without, "clpd")["p_adjusted"] <= row_of(comparisons, "clpd")["p_adjusted"]


def test_the_order_of_rows_changes_nothing(items: pd.DataFrame) -> None:
    shuffled = items.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        compare(shuffled, DECLARATION, FACTORIAL), compare(items, DECLARATION, FACTORIAL), check_exact=True
    )
    pd.testing.assert_frame_equal(summary(shuffled), summary(items), check_exact=True)


def test_a_seed_that_one_arm_lacks_is_left_out_of_its_pairs_only(items: pd.DataFrame) -> None:
    lacking = items[~((items["arm"] == "clpd") & (items["seed"] == 3))]
    comparisons = compare(lacking, DECLARATION, FACTORIAL)
    assert comparisons["seeds"].tolist() == [8, 8, 7, 8, 7]
    without = compare(items[items["seed"] != 3], DECLARATION, FACTORIAL)
    same = ["difference", "low", "high", "p"]
    assert row_of(comparisons, "clpd")[same].tolist() == row_of(without, "clpd")[same].tolist()
    assert row_of(comparisons, "interaction")[same].tolist() == row_of(without, "interaction")[same].tolist()


def test_a_declared_arm_without_pairs_keeps_its_row_and_says_why(items: pd.DataFrame) -> None:
    lacking = items[(items["arm"] != "clpd") | (items["seed"] == 3)]
    comparisons = compare(lacking, DECLARATION, FACTORIAL)
    clpd = row_of(comparisons, "clpd")
    assert clpd["seeds"] == 1
    assert clpd["method"] == "fewer than two complete pairs"
    assert clpd[NUMBERS].isna().all()
    assert "all four arms" in row_of(comparisons, "interaction")["method"]
    assert row_of(compare(items[items["arm"] != "clpd"], DECLARATION, FACTORIAL), "clpd")["seeds"] == 0


@pytest.mark.parametrize(
    ("family", "factorial"),
    [(("standard_kd",), FACTORIAL), (("clpd", "clpd"), FACTORIAL), (("interaction",), None)],
)
def test_a_family_that_cannot_be_tested_is_refused(
    items: pd.DataFrame, family: tuple[str, ...], factorial: Factorial | None
) -> None:
    with pytest.raises(UserError, match="family"):
        compare(items, Declaration("standard_kd", family, "holm", 0.05, "gsm8k", "exact_match"), factorial)


def test_summary_has_a_spread_over_seeds_and_none_for_a_reference(items: pd.DataFrame) -> None:
    means = items[items["arm"] == "clpd"].groupby("seed")["score"].mean()
    rows = summary(items).set_index("arm")
    clpd, student = rows.loc["clpd"], rows.loc["student"]
    assert (clpd["mean"], clpd["sd"]) == pytest.approx((means.mean(), means.std()))
    assert (clpd["kind"], clpd["seeds"], clpd["items"]) == ("arm", SEEDS, ITEMS)
    assert (student["kind"], student["seeds"]) == ("reference", 1)
    assert np.isnan(student["sd"])
