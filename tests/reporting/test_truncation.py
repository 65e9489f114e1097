"""Outputs that ended by length are told by arm, and warned of where they are many."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fabricated_report import EXAMPLES, World

from clpd_bench.report.card.scores import scores_of
from clpd_bench.report.card.subject import subject_of
from clpd_bench.report.report import Report

ACCURACY = {"{benchmark: sums, metric: response_loss}": "{benchmark: sums, metric: exact_match}"}
CUT = {"clpd/0": 12, "clpd/1": 6, "sft/": 24, "student before": 24}
"""Of 24: for clpd at three seeds half, a quarter and none."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Its primary result is a loss."""
    return World(tmp_path_factory.mktemp("world"), cut=CUT)


@pytest.fixture(scope="module")
def report(world: World) -> Report:
    return world.report()


def told(report: Report) -> str:
    (sentence,) = (note for note in report.context.notes if "ended by length" in note)
    return sentence


def warned(report: Report) -> list[str]:
    return [one for one in report.context.warnings if "ended by length" in one]


def of_clpd(report: Report) -> str:
    (sentence,) = (line for line in report.files[0].read_text().splitlines() if line.startswith("- clpd: "))
    return sentence


def test_the_share_of_each_arm_and_reference_is_told(report: Report) -> None:
    """The mean over seeds of an arm's; each output once, whatever is made of it."""
    for name, share in (("sft", "100 %"), ("standard_kd", "0 %"), ("clpd", "25 %"), ("student before", "100 %")):
        assert f"{name} {share}" in told(report)


def test_an_arm_above_one_percent_is_warned_of_at_the_top_of_everything(report: Report) -> None:
    (warning,) = warned(report)
    assert "clpd 25 %" in warning
    assert "student before" not in warning
    table = report.files[0].read_text()
    assert table.index(warning) < table.index("## Primary result")
    assert f'<p class="warning">{warning[:20]}' in report.page.read_text()
    assert "clpd 25 \\%" in report.page.with_name("table.tex").read_text()


def test_each_sentence_on_accuracy_says_so_and_none_on_a_loss(report: Report, tmp_path: Path) -> None:
    """Nothing is generated for a loss. One of 72 outputs is above one percent."""
    assert "ended by length" not in of_clpd(report)
    accuracy = World(tmp_path, cut={"clpd/0": 1}, edits=ACCURACY).report()
    assert "clpd 1.4 %" in warned(accuracy)[0]
    assert "outputs on sums ended by length" in of_clpd(accuracy).lower()


def test_no_arm_above_one_percent_is_no_warning_whatever_references_do(tmp_path: Path) -> None:
    """An untrained student never ends."""
    quiet = World(tmp_path, cut={"student before": 24, "teacher ": 5}, edits=ACCURACY).report()
    assert not warned(quiet)
    assert "ended by length" not in of_clpd(quiet)
    assert "clpd 0 %" in told(quiet)


def test_items_of_a_report_say_which_outputs_were_cut(report: Report) -> None:
    rows = pq.read_table(report.page.with_name("items.parquet")).to_pylist()
    assert {row["truncated"] for row in rows if row["metric"] == "response_loss"} == {None}
    mine = [row["truncated"] for row in rows if (row["arm"], row["seed"], row["metric"]) == ("clpd", 1, "exact_match")]
    assert (len(mine), sum(mine)) == (EXAMPLES, 6)


def test_a_card_says_what_share_of_its_models_outputs_was_cut(world: World) -> None:
    cell = next(cell for cell in world.plan.cells if cell.id.endswith("clpd/1"))
    scores, _ = scores_of(subject_of(cell.id, world.plan, world.plan.jobs[cell.model]), world.store)
    assert {one.truncated for one in scores} == {0.25}
