"""What stands beside the test in the table of comparisons, and what the table says is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from clpd_bench.analysis.comparisons import compare, compare_benchmarks
from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.analysis.outcomes import FloatArray, by_benchmark
from clpd_bench.analysis.series import MACRO_AVERAGE
from clpd_bench.analysis.summary import summary, summary_of_benchmarks
from clpd_bench.analysis.two_way import moments, two_way
from clpd_bench.errors import UserError

ARMS = ["standard_kd", "data_ordering", "teacher_scheduling", "clpd"]
FACTORIAL = Factorial(*ARMS)
FAMILY = ("data_ordering", "teacher_scheduling", "clpd", "interaction")
DECLARATION = Declaration("standard_kd", FAMILY, "holm", 0.05, "sums", "response_loss", margin=0.08)
ITEMS = {"sums": 30, "words": 12}
SEEDS = 5
Y = dict[tuple[str, str], FloatArray]
"""[seed, item] by benchmark and arm."""


@pytest.fixture(scope="module")
def y() -> Y:
    rng = np.random.default_rng(3)
    by_seed = rng.normal(0, 0.03, (SEEDS, 1))
    return {
        (benchmark, arm): 0.1 * place + by_seed + rng.normal(0, 0.1, items) + rng.normal(0, 0.1, (SEEDS, items))
        for benchmark, items in ITEMS.items()
        for place, arm in enumerate(ARMS)
    }


@pytest.fixture(scope="module")
def items(y: Y) -> pd.DataFrame:
    return table(y)


def table(y: Y) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "kind": "arm",
                    "arm": arm,
                    "seed": seed,
                    "benchmark": benchmark,
                    "metric": "response_loss",
                    "filter": "none",
                    "item": [f"{benchmark} {i:03}" for i in range(len(scores))],
                    "score": scores,
                    "difficulty": 0.0,
                    "prompt_hash": "p",
                    "target_hash": "t",
                    "truncated": None,
                }
            )
            for (benchmark, arm), of_seed in y.items()
            for seed, scores in enumerate(of_seed)
        ],
        ignore_index=True,
    )


def row_of(comparisons: pd.DataFrame, benchmark: str, arm: str) -> pd.Series:
    return comparisons[(comparisons["benchmark"] == benchmark) & (comparisons["arm"] == arm)].iloc[0]


def test_what_stands_beside_the_test_is_scipys(items: pd.DataFrame, y: Y) -> None:
    row = row_of(compare(items, DECLARATION, FACTORIAL), "sums", "clpd")
    arm, baseline = y["sums", "clpd"].mean(axis=1), y["sums", "standard_kd"].mean(axis=1)
    expected = {
        "sd_arm": np.std(arm, ddof=1),
        "sd_baseline": np.std(baseline, ddof=1),
        "correlation": np.corrcoef(arm, baseline)[0, 1],
        "d_z": np.mean(arm - baseline) / np.std(arm - baseline, ddof=1),
        "welch_p": stats.ttest_ind(arm, baseline, equal_var=False).pvalue,
        "equivalence_p": ttost_paired(arm, baseline, -0.08, 0.08)[0],
    }
    assert row[list(expected)].tolist() == pytest.approx(list(expected.values()), abs=1e-9)
    both = two_way([moments(y["sums", "clpd"] - y["sums", "standard_kd"])])
    assert row[["two_way_low", "two_way_high", "two_way_p"]].tolist() == [both.low, both.high, both.p]


def test_the_interaction_has_both_tests_and_nothing_that_needs_two_arms(items: pd.DataFrame, y: Y) -> None:
    row = row_of(compare(items, DECLARATION, FACTORIAL), "sums", "interaction")
    standard, ordering, scheduling, both = (y["sums", arm] for arm in ARMS)
    difference = both - ordering - scheduling + standard
    paired = stats.ttest_1samp(difference.mean(axis=1), 0)
    assert row[["p", "low", "high"]].tolist() == pytest.approx([paired.pvalue, *paired.confidence_interval(0.95)])
    assert row["two_way_p"] == pytest.approx(two_way([moments(difference)]).p)
    assert row[["sd_arm", "sd_baseline", "correlation", "welch_p", "equivalence_p"]].isna().all()


def test_equivalence_is_items_source_the_primary_result_alone_and_only_with_a_margin(items: pd.DataFrame) -> None:
    comparisons = compare(items, DECLARATION, FACTORIAL)
    tested = comparisons[comparisons["equivalence_p"].notna()]
    assert tested[["benchmark", "arm"]].to_numpy().tolist() == [["sums", arm] for arm in FAMILY[:3]]
    without = compare(items, replace(DECLARATION, margin=None), FACTORIAL)
    assert without["equivalence_p"].isna().all()
    with pytest.raises(UserError, match="margin"):
        compare(items, replace(DECLARATION, margin=0.0), FACTORIAL)


def test_a_claim_about_new_items_has_the_two_way_interval_and_p(items: pd.DataFrame) -> None:
    these = compare(items, DECLARATION, FACTORIAL)
    new = compare(items, replace(DECLARATION, generalise_to="new items"), FACTORIAL)
    assert set(these["method"]) == {"paired t over seeds, these items"}
    assert set(new["method"]) == {"two-way cluster-robust over seeds and items, new items"}
    claimed, two_way_columns = ["low", "high", "p"], ["two_way_low", "two_way_high", "two_way_p"]
    assert new[claimed].to_numpy().tolist() == these[two_way_columns].to_numpy().tolist()
    assert (new["p"] >= these["p"]).all()
    for _, block in new.groupby("benchmark"):
        assert block["p_adjusted"].tolist() == pytest.approx(multipletests(block["p"], method="holm")[1].tolist())
    beside = ["difference", "d_z", "welch_p", "equivalence_p", *two_way_columns]
    pd.testing.assert_frame_equal(new[beside], these[beside])


def test_the_declared_correction_is_the_one_made(items: pd.DataFrame) -> None:
    for correction in ("holm", "bonferroni"):
        block = compare(items, replace(DECLARATION, correction=correction), FACTORIAL).iloc[:4]
        expected = multipletests(block["p"], method=correction)[1]
        assert block["p_adjusted"].tolist() == pytest.approx(expected.tolist(), abs=1e-9)
    none = compare(items, replace(DECLARATION, correction="none"), FACTORIAL)
    assert none["p_adjusted"].tolist() == none["p"].tolist()


def test_q_is_benjamini_hochberg_over_all_rows_of_a_metric(items: pd.DataFrame) -> None:
    match = items.assign(metric="exact_match", score=items["score"] + items["seed"] * 0.01)
    lone = match[(match["benchmark"] == "sums") & ((match["arm"] != "clpd") | (match["seed"] == 0))]
    comparisons = compare(pd.concat([items, lone]), DECLARATION, FACTORIAL)
    for metric, rows in comparisons.groupby("metric"):
        p = rows["p"].dropna()
        assert len(p) == {"response_loss": 12, "exact_match": 2}[metric]
        expected = multipletests(p, method="fdr_bh")[1]
        assert rows.loc[p.index, "q"].tolist() == pytest.approx(expected.tolist(), abs=1e-9)
        assert rows.loc[rows["p"].isna(), "q"].isna().all()


def test_the_macro_average_weighs_benchmarks_equally(items: pd.DataFrame, y: Y) -> None:
    comparisons = compare(items, DECLARATION, FACTORIAL)
    assert comparisons["benchmark"].tolist() == ["sums"] * 4 + ["words"] * 4 + [MACRO_AVERAGE] * 4
    row = row_of(comparisons, MACRO_AVERAGE, "clpd")
    arm, baseline = (np.mean([y[one, name].mean(axis=1) for one in ITEMS], axis=0) for name in ("clpd", "standard_kd"))
    paired = stats.ttest_rel(arm, baseline)
    assert row[["p", "low", "high"]].tolist() == pytest.approx([paired.pvalue, *paired.confidence_interval(0.95)])
    assert row["welch_p"] == pytest.approx(stats.ttest_ind(arm, baseline, equal_var=False).pvalue, abs=1e-9)
    assert (row["items"], row["seeds"]) == (42, SEEDS)
    expected = two_way([moments(y[one, "clpd"] - y[one, "standard_kd"]) for one in ITEMS])
    assert row["two_way_p"] == pytest.approx(expected.p, abs=1e-12)
    alone = compare(items[items["benchmark"] == "sums"], DECLARATION, FACTORIAL)
    assert set(alone["benchmark"]) == {"sums"}


def test_an_average_over_benchmarks_that_share_items_claims_nothing_about_new_ones(items: pd.DataFrame) -> None:
    """Two of `sums` stand in `words`, too: for these items nothing changes."""
    shared = items.assign(item=items["item"].replace({f"words {i:03}": f"sums {i:03}" for i in (3, 4)}))
    row, before = (row_of(compare(one, DECLARATION, FACTORIAL), MACRO_AVERAGE, "clpd") for one in (shared, items))
    columns = ["difference", "low", "high", "p", "p_adjusted"]
    assert row[columns].tolist() == pytest.approx(before[columns].tolist())  # items are summed in another order
    assert row[["two_way_low", "two_way_high", "two_way_p"]].isna().all()
    assert (row["items"], before["items"]) == (40, 42)
    why = "no test on new items, sums and words share 2 items"
    assert row["method"] == f"paired t over seeds, these items: {why}"
    new = compare(shared, replace(DECLARATION, generalise_to="new items"), FACTORIAL)
    row = row_of(new, MACRO_AVERAGE, "clpd")
    assert row[["difference", "low", "p", "p_adjusted", "q"]].isna().all()
    assert row["method"].endswith(why)
    assert row_of(new, "words", "clpd")[["p", "two_way_p"]].notna().all()


def test_the_macro_average_takes_the_seeds_that_all_benchmarks_have(items: pd.DataFrame) -> None:
    lacking = items[~((items["arm"] == "clpd") & (items["seed"] == 1) & (items["benchmark"] == "words"))]
    comparisons = compare(lacking, DECLARATION, FACTORIAL)
    without = compare(items[items["seed"] != 1], DECLARATION, FACTORIAL)
    for arm in ("clpd", "interaction"):
        row, expected = (row_of(one, MACRO_AVERAGE, arm) for one in (comparisons, without))
        same = ["seeds", "difference", "low", "high", "p", "two_way_p", "d_z"]
        assert row[same].tolist() == pytest.approx(expected[same].tolist(), rel=1e-9)
    dropped = {name: row_of(comparisons, name, "clpd")["dropped"] for name in (*ITEMS, MACRO_AVERAGE)}
    assert dropped == {"sums": 0, "words": 1, MACRO_AVERAGE: 1}
    nowhere = items[(items["arm"] != "clpd") | (items["benchmark"] == "sums")]
    row = row_of(compare(nowhere, DECLARATION, FACTORIAL), MACRO_AVERAGE, "clpd")
    assert (row["seeds"], row["dropped"]) == (0, SEEDS)
    assert row["method"] == "fewer than two complete pairs on all 2 benchmarks"


def test_diverged_runs_take_their_pairs_with_them_and_are_counted(items: pd.DataFrame) -> None:
    diverged = frozenset({("clpd", 1), ("standard_kd", 2), ("clpd", 9)})
    comparisons = compare(items, DECLARATION, FACTORIAL, diverged)
    dropped = {arm: row_of(comparisons, "sums", arm)["dropped"] for arm in FAMILY}
    assert dropped == {"data_ordering": 1, "teacher_scheduling": 1, "clpd": 3, "interaction": 3}
    without = compare(items[~items["seed"].isin([1, 2])], DECLARATION, FACTORIAL)
    for arm in ("clpd", "interaction"):
        row, expected = (row_of(one, "sums", arm) for one in (comparisons, without))
        same = ["seeds", "difference", "low", "high", "p", "two_way_p", "sd_arm", "welch_p"]
        assert row[same].tolist() == pytest.approx(expected[same].tolist(), rel=1e-9, nan_ok=True)
    assert (compare(items, DECLARATION, FACTORIAL)["dropped"] == 0).all()


def test_a_single_item_supports_no_claim_about_new_ones(items: pd.DataFrame) -> None:
    one = items[items["item"] == "sums 000"]
    row = row_of(compare(one, DECLARATION, FACTORIAL), "sums", "clpd")
    assert not np.isnan(row["p"])
    assert np.isnan(row["two_way_p"])
    new = row_of(compare(one, replace(DECLARATION, generalise_to="new items"), FACTORIAL), "sums", "clpd")
    assert new[["difference", "p", "p_adjusted"]].isna().all()
    assert "single item" in new["method"]


def test_one_benchmark_at_a_time_is_the_same_table(items: pd.DataFrame) -> None:
    backwards = reversed([(name, iter(list(found))) for name, found in by_benchmark(items)])
    streamed = compare_benchmarks(backwards, DECLARATION, FACTORIAL)
    pd.testing.assert_frame_equal(streamed, compare(items, DECLARATION, FACTORIAL), check_exact=True)
    backwards = reversed([(name, iter(list(found))) for name, found in by_benchmark(items)])
    pd.testing.assert_frame_equal(summary_of_benchmarks(backwards), summary(items), check_exact=True)
    twice = [(name, list(found)) for name, found in by_benchmark(items)][:1] * 2
    with pytest.raises(UserError, match="twice"):
        compare_benchmarks(twice, DECLARATION, FACTORIAL)


def test_swapping_arm_and_baseline_flips_the_signs(items: pd.DataFrame) -> None:
    ab = compare(items, replace(DECLARATION, family=("clpd",)), None)
    ba = compare(items, replace(DECLARATION, baseline="clpd", family=("standard_kd",)), None)
    for benchmark in (*ITEMS, MACRO_AVERAGE):
        one, other = row_of(ab, benchmark, "clpd"), row_of(ba, benchmark, "standard_kd")
        flipped = ["difference", "low", "two_way_low", "d_z"]
        assert one[flipped].tolist() == pytest.approx((-other[["difference", "high", "two_way_high", "d_z"]]).tolist())
        same = ["p", "p_adjusted", "welch_p", "two_way_p", "correlation"]
        assert one[same].tolist() == pytest.approx(other[same].tolist())
        assert (one["sd_arm"], one["sd_baseline"]) == (other["sd_baseline"], other["sd_arm"])


def test_permuting_seeds_or_items_changes_nothing(items: pd.DataFrame, y: Y) -> None:
    rng = np.random.default_rng(1)
    seeds, places = rng.permutation(SEEDS), {name: rng.permutation(n) for name, n in ITEMS.items()}
    permuted = table({(name, arm): scores[seeds][:, places[name]] for (name, arm), scores in y.items()})
    pd.testing.assert_frame_equal(
        compare(permuted, DECLARATION, FACTORIAL), compare(items, DECLARATION, FACTORIAL), rtol=1e-9
    )
