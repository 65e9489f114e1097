"""The written tables say what the statistics say, and equal outcomes give equal bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from clpd_bench.analysis.comparisons import Comparison, compare
from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.analysis.series import ITEM_COLUMNS, MACRO_AVERAGE, METRICS, Series
from clpd_bench.errors import UserError
from clpd_bench.report.context import ReportContext
from clpd_bench.report.verdict import equivalence, made_header, made_line, verdict
from clpd_bench.report.write import table_files, write_files
from clpd_bench.results.diverged import DivergedStudent
from clpd_bench.results.standing import Standing, Standings
from clpd_bench.tables.rounding import UNITS, Unit, decimals, difference, mean_and_sd, p_value

ARMS = ["standard_kd", "data_ordering", "teacher_scheduling", "clpd"]
CONTEXT = ReportContext(
    title="A small one",
    question="Does CLPD help?",
    arms=ARMS,
    references=["student", "teacher_7b"],
    declaration=Declaration("standard_kd", ("clpd",), "holm", 0.05, "gsm8k", "exact_match"),
    factorial=Factorial(*ARMS),
    seeds=8,
    standings=Standings(
        {
            (arm, "gsm8k"): Standing("confirmatory" if arm == "clpd" else "exploratory", f"The reason of {arm}.")
            for arm in [*ARMS, "interaction"]
        }
    ),
    diverged=[],
    missing=[],
    notes=["Conclusions are conditional on this student and these teachers."],
)
LOSS = replace(CONTEXT, declaration=replace(CONTEXT.declaration, primary_metric="response_loss"))


def make_items(metric: str, effect: float, noise: float = 0.01) -> pd.DataFrame:
    """Eight seeds of ARMS and two references; `effect` is clpd's."""
    rng = np.random.default_rng(5)
    runs = [(arm, seed) for arm in ARMS for seed in range(8)] + [("student", -1), ("teacher_7b", -1)]
    names = [f"q{i}" for i in range(10)]
    frames = [
        pd.DataFrame(
            {
                "arm": arm,
                "kind": "reference" if seed < 0 else "arm",
                "seed": seed,
                "benchmark": "gsm8k",
                "metric": metric,
                "filter": "strict" if metric == "exact_match" else "none",
                "item": names,
                "score": 0.5 + effect * (arm == "clpd") + rng.normal(0, noise, 10),
                "difficulty": 1.0,
                "prompt_hash": names,
                "target_hash": names,
                "truncated": None,
            }
        )
        for arm, seed in runs
    ]
    return pd.concat(frames, ignore_index=True)


def report(items: pd.DataFrame, context: ReportContext, out: Path) -> str:
    comparisons = compare(items, context.declaration, context.factorial)
    paths = write_files(table_files(items, comparisons, context), out)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in paths)
    return (out / "table.md").read_text(encoding="utf-8")


def verdict_of(text: str) -> str:
    return text.split("## Primary result")[1].split("##")[0]


@pytest.mark.parametrize(
    ("metric", "context", "effect", "words", "number"),
    [
        ("exact_match", CONTEXT, 0.0, "no significant difference from standard_kd", "points"),
        ("exact_match", CONTEXT, 0.03, "clpd: better than standard_kd on these items: +", "points"),
        ("exact_match", CONTEXT, -0.03, "clpd: worse than standard_kd on these items: -", "points"),
        ("response_loss", LOSS, -0.03, "clpd: better than standard_kd on these items: -0.0", "nats a token"),
        ("response_loss", LOSS, 0.03, "clpd: worse than standard_kd on these items: +0.0", "nats a token"),
    ],
)
def test_the_verdict_says_what_the_test_says(
    metric: str, context: ReportContext, effect: float, words: str, number: str, tmp_path: Path
) -> None:
    verdict = verdict_of(report(make_items(metric, effect), context, tmp_path))
    assert words in verdict
    assert f"{number}, 95% interval" in verdict
    assert "8 seeds, p" in verdict
    said = [claim for claim in ("better", "worse", "no significant") if claim in verdict]
    assert said == [claim for claim in ("better", "worse", "no significant") if claim in words]


@pytest.mark.parametrize(("metric", "word"), [("exact_match", "better"), ("response_loss", "worse")])
def test_an_interaction_reads_by_the_metrics_direction(metric: str, word: str, tmp_path: Path) -> None:
    base = CONTEXT if metric == "exact_match" else LOSS
    context = replace(base, declaration=replace(base.declaration, family=("interaction",)))
    verdict = verdict_of(report(make_items(metric, 0.05), context, tmp_path))
    assert f"together do {word} than the sum" in verdict
    assert "no significant interaction" in verdict_of(report(make_items(metric, 0.0), context, tmp_path))


def test_no_test_is_no_verdict(tmp_path: Path) -> None:
    items = make_items("exact_match", 0.03)
    alone = items[(items["arm"] != "clpd") | (items["seed"] == 2)]
    assert "no verdict, fewer than two complete pairs (1 found)" in verdict_of(report(alone, CONTEXT, tmp_path))
    constant = verdict_of(report(make_items("exact_match", 0.03, noise=0), CONTEXT, tmp_path))
    assert "no verdict: +3.0 points, 8 seeds" in constant
    assert "identical at every seed" in constant
    loss_only = verdict_of(report(make_items("response_loss", 0.0), CONTEXT, tmp_path))
    assert "There are: gsm8k response_loss" in loss_only


def test_the_table_says_how_to_read_it(tmp_path: Path) -> None:
    both = pd.concat([make_items("exact_match", 0.03), make_items("response_loss", 0.0)])
    text = report(both, CONTEXT, tmp_path)
    arms, references = text.split("(%, higher is better, 10 items)")[1].split("How the tests")[0].split("Models that")
    assert references.index("student") < references.index("teacher_7b")
    assert "p" not in [line.split("|")[2].strip() for line in references.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in arms.splitlines() if line.startswith("| ")]
    by_name = {row[0]: row[1:] for row in rows}
    assert list(by_name) == ["arm", "-" * len("data_ordering     "), *ARMS, "interaction"]
    assert by_name["arm"][1:] == ["difference to standard_kd", "95% interval", "p after Holm", "seeds", "standing"]
    number = r"\d+\.\d+"
    shown = {name: " | ".join(cells) for name, cells in by_name.items()}
    contrast = rf"[+-]{number} \| \[-?{number}, -?{number}\]"
    assert re.fullmatch(rf"{number} ± {number} \| {contrast} \| < \.001 \| 8 \| confirmatory", shown["clpd"])
    assert re.fullmatch(rf"{number} ± {number} \| {contrast} \|  \| 8 \| exploratory", shown["data_ordering"])
    assert re.fullmatch(rf"{number} ± {number} \|  \|  \|  \| 8 \| ", shown["standard_kd"])
    assert re.fullmatch(rf" \| {contrast} \|  \| 8 \| exploratory", shown["interaction"])
    for words in (
        "Baseline: standard_kd",
        "Family: clpd",
        "Holm",
        "seed-paired t on these items",
        "95% intervals are unadjusted",
        "The primary result is gsm8k exact_match",
        "standard deviation over seeds",
        "conditional on this student",
        "No cell is missing",
        "(%, higher is better, 10 items)",
        "Confirmatory: clpd. The reason of clpd.",
        "d_z is the difference",
    ):
        assert words in text


def test_what_is_secondary_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    both = pd.concat([make_items("exact_match", 0.03), make_items("response_loss", 0.0)])
    primary = report(both, CONTEXT, tmp_path)
    secondary = (tmp_path / "secondary.md").read_text()
    assert "response_loss" not in primary
    assert "(nats a token, lower is better, 10 items)" in secondary
    assert "exact_match" not in secondary
    assert "Benjamini-Hochberg" in secondary
    for name, count in (("table", 1), ("secondary", 1)):
        assert (tmp_path / f"{name}.tex").read_text().count("midrule") == count
    assert set(pd.read_csv(tmp_path / "comparisons.csv")["metric"]) == {"exact_match", "response_loss"}


def test_every_table_says_which_comparisons_are_exploratory(tmp_path: Path) -> None:
    report(make_items("exact_match", 0.03), CONTEXT, tmp_path)
    table = pd.read_csv(tmp_path / "comparisons.csv").set_index("arm")
    assert table["standing"].to_dict() == {
        "clpd": "confirmatory",
        "data_ordering": "exploratory",
        "teacher_scheduling": "exploratory",
        "interaction": "exploratory",
    }
    assert table["why"]["interaction"] == "The reason of interaction."
    marked = [
        line.split(" &")[0].strip() for line in (tmp_path / "table.tex").read_text().splitlines() if "dagger}$" in line
    ]
    assert marked == [r"data\_ordering", r"teacher\_scheduling", "interaction"]
    assert "A dagger marks exploratory" in (tmp_path / "table.tex").read_text()


def test_missing_cells_are_named(tmp_path: Path) -> None:
    items = make_items("exact_match", 0.03)
    lost = (items["arm"] == "teacher_scheduling") | ((items["arm"] == "clpd") & (items["seed"] == 0))
    text = report(items[~lost], replace(CONTEXT, missing=["clpd at seed 0: failed."]), tmp_path)
    assert "- clpd at seed 0: failed." in text
    assert "- teacher_scheduling has no outcomes on gsm8k exact_match." in text
    assert re.search(r"\| clpd .*\| 7 of 8 +\| confirmatory", text)
    assert "No cell is missing" not in text


def test_an_arm_that_was_not_declared_is_shown_all_the_same(tmp_path: Path) -> None:
    text = report(make_items("exact_match", 0.0), replace(CONTEXT, arms=ARMS[:3]), tmp_path)
    assert "| clpd " in text


def test_equal_outcomes_give_equal_bytes_whatever_the_order_of_rows(tmp_path: Path) -> None:
    items = make_items("exact_match", 0.03)
    other = items.sample(frac=1, random_state=2).astype({"seed": "int32", "arm": "category"})
    report(items, CONTEXT, tmp_path / "a")
    report(other[list(reversed(other.columns))], CONTEXT, tmp_path / "b")
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    assert pq.read_schema(tmp_path / "a" / "items.parquet").names == list(ITEM_COLUMNS)


def test_a_failure_leaves_the_older_report(tmp_path: Path) -> None:
    items = make_items("exact_match", 0.03)
    before = report(items, CONTEXT, tmp_path)
    comparisons = compare(items, CONTEXT.declaration, CONTEXT.factorial)
    with pytest.raises(UserError):
        table_files(pd.concat([items, items[:1]]), comparisons, CONTEXT)
    broken = items.assign(difficulty=pd.Series(["hard"] * len(items), dtype=object))
    with pytest.raises(ValueError, match="hard"):  # while the last file is made
        table_files(broken, comparisons, replace(CONTEXT, title="Another"))
    with pytest.raises(TypeError):  # while the last file is written
        write_files({"table.md": b"another", "table.tex": None}, tmp_path)  # type: ignore[dict-item]
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == before
    assert len(list(tmp_path.iterdir())) == 5  # there is nothing secondary


def test_every_metric_has_a_unit() -> None:
    assert UNITS.keys() == METRICS.keys()


def test_numbers_are_rounded_to_their_uncertainty() -> None:
    percent = Unit(100, "%", "points", 1)
    assert mean_and_sd(0.46271, 0.01834, percent) == "46.3 ± 1.8"
    assert mean_and_sd(0.46271, 0.1234, percent) == "46 ± 12"
    assert mean_and_sd(0.46271, float("nan"), percent) == "46.3"
    assert difference(0.0081, -0.0109, 0.0271, percent) == ("+0.8", "-1.1", "2.7")
    assert difference(-0.00001, -0.02, 0.02, percent).difference == "+0.0"
    assert [decimals(x, 9) for x in (19, 1.9, 0.19, 0.0, float("nan"))] == [0, 1, 2, 9, 9]
    assert [p_value(p) for p in (0.0004, 0.0321, 0.412, 1.0)] == ["p < .001", "p = .032", "p = .41", "p = 1.00"]


def row_of(**fields: float) -> Comparison:
    numbers = {"difference": 0.004, "low": -0.002, "high": 0.01, "p": 0.2, "p_adjusted": 0.2}
    return Comparison("gsm8k", "exact_match", "clpd", "standard_kd", 8, 10, **{**numbers, **fields}, method="a test")


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.012, "Equivalent within ± 1 points (TOST, p = .012)"),
        (0.31, "Not shown to be equivalent within ± 1 points (TOST, p = .31)"),
        (float("nan"), ""),
    ],
)
def test_equivalence_is_claimed_only_where_its_test_says_so(p: float, words: str) -> None:
    declaration = replace(CONTEXT.declaration, margin=0.01)
    row = row_of(equivalence_p=p)
    assert equivalence(row, "exact_match", declaration) == words
    assert equivalence(row, "exact_match", CONTEXT.declaration) == ""
    series = [Series("gsm8k", "exact_match", "", "exact_match")]
    (sentence,) = verdict(pd.DataFrame([row]), series, declaration, CONTEXT.standings)
    assert words in sentence
    assert sentence.endswith("Confirmatory.")


def test_what_stands_behind_a_test_is_shown_and_what_is_not_claimed_is_said_to_be_so() -> None:
    series = Series("gsm8k", "exact_match", "", "exact_match")
    row = row_of(
        sd_arm=0.012, sd_baseline=0.02, correlation=0.456, d_z=1.234, welch_p=0.4, two_way_low=-0.02, two_way_high=0.03,
        two_way_p=0.6,
    )  # fmt: skip
    shown = dict(
        zip(made_header(series, CONTEXT.declaration), made_line(row, series, CONTEXT.declaration), strict=True)
    )
    assert shown["sd of arm"] == "1.2"
    assert shown["sd of baseline"] == "2.0"
    assert shown["correlation of pairs"] == "+0.46"
    assert shown["d_z"] == "+1.23"
    assert shown["Welch's p"] == ".40"
    assert shown["on new items: 95% interval"] == "[-2.0, 3.0]"
    new = replace(CONTEXT.declaration, generalise_to="new items")
    assert not [name for name in made_header(series, new) if "new items" in name]
    assert len(made_header(series, new)) == len(made_line(row, series, new))
    (sentence,) = verdict(pd.DataFrame([row]), [series], new, CONTEXT.standings)
    assert "no significant difference from standard_kd on new items" in sentence


@pytest.mark.parametrize(("correction", "words"), [("bonferroni", "after Bonferroni"), ("none", "uncorrected")])
def test_the_correction_is_named_as_declared(correction: Any, words: str, tmp_path: Path) -> None:
    context = replace(CONTEXT, declaration=replace(CONTEXT.declaration, correction=correction))
    text = report(make_items("exact_match", 0.03), context, tmp_path)
    assert words in verdict_of(text)
    assert "Holm" not in text + (tmp_path / "table.tex").read_text()


def test_the_number_of_looks_stands_beside_p_wherever_p_stands(tmp_path: Path) -> None:
    seen = Standing("exploratory", "The reason of clpd.", beside="4 earlier looks")
    standings = Standings({**CONTEXT.standings.by_comparison, ("clpd", "gsm8k"): seen})
    text = report(make_items("exact_match", 0.03), replace(CONTEXT, standings=standings), tmp_path)
    assert re.search(r"^- clpd: .*p .* Exploratory \(4 earlier looks\)\.$", text, re.MULTILINE)
    assert re.search(r"^\| clpd .*\| exploratory \(4 earlier looks\) +\|$", text, re.MULTILINE)
    assert "4 earlier looks: clpd. " in (tmp_path / "table.tex").read_text()
    table = pd.read_csv(tmp_path / "comparisons.csv").set_index("arm")
    assert (table["standing"]["clpd"], table["beside"]["clpd"]) == ("exploratory", "4 earlier looks")


def test_students_that_diverged_are_counted_in_the_tables(tmp_path: Path) -> None:
    context = replace(CONTEXT, diverged=[DivergedStudent("clpd", 3, "the loss is nan")])
    text = report(make_items("exact_match", 0.03), context, tmp_path)
    assert re.search(r"\| clpd .*\| 8, 1 diverged +\| confirmatory", text)
    assert "1 of clpd" in (tmp_path / "table.tex").read_text()


def test_averages_over_benchmarks_are_secondary_and_have_differences_alone(tmp_path: Path) -> None:
    items = make_items("exact_match", 0.03)
    comparisons = compare(items, CONTEXT.declaration, CONTEXT.factorial)
    context = replace(
        CONTEXT,
        standings=Standings(
            {
                (arm, name): one
                for (arm, _), one in CONTEXT.standings.by_comparison.items()
                for name in ("gsm8k", MACRO_AVERAGE)
            }
        ),
    )
    both = pd.concat([comparisons, comparisons.assign(benchmark=MACRO_AVERAGE, q=0.04)], ignore_index=True)
    files = {name: content.decode() for name, content in table_files(items, both, context).items() if name[-1] == "d"}
    assert MACRO_AVERAGE not in files["table.md"]
    assert "## macro average exact_match (%, higher is better, mean over benchmarks)" in files["secondary.md"]
    (line,) = [line for line in files["secondary.md"].splitlines() if line.startswith("| clpd ") and "confirm" in line]
    assert [cell.strip() for cell in line.split("|")][-4:-1] == [".040", "8", "confirmatory"]
    assert "has no outcomes on macro" not in files["table.md"]
