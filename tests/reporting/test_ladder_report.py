"""Teachers that do not rise are said in every sentence of the verdict and above every table; risen ones are shown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from fabricated_report import World
from page_text import Page

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import point_plans
from clpd_bench.report.several.groups import OneFile
from clpd_bench.report.several.points import write_reports
from clpd_bench.report.several.write import write_several
from clpd_bench.report.verdict import verdict

TOLD = (
    "the teachers do not rise: small 0.25, large 0.5 (validation sums response_loss, lower is better; large is 0.25 "
    "behind small), so `strongest` is not the strongest: write `teachers: [large, small]`"
)


@pytest.fixture(scope="module")
def fallen(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("fallen"), curves=False, validation={"small": 0.25, "large": 0.5})
    world.report()
    return world


def test_a_ladder_that_does_not_rise_is_in_every_sentence_of_the_verdict_and_at_every_top(fallen: World) -> None:
    report = fallen.report()
    context = report.context
    sentences = verdict(report.comparisons, report.rows.series, context.declaration, context.standings, context.clauses)
    assert len(sentences) == 3
    assert all(TOLD.removeprefix("the ") in sentence for sentence in sentences)
    table = (report.page.parent / "table.md").read_text()
    assert table.index(f"**Warning: {TOLD}.**") < table.index("## Primary result")
    found = Page(report.page).sections["verdict"]
    assert found.index(f"Warning: {TOLD}.") < found.index("Null result")
    assert "the teachers do not rise: small 0.25, large 0.5" in (report.page.parent / "table.tex").read_text()


def test_a_ladder_that_rises_is_shown_and_nothing_is_said(world: World, page: Page, folder: Path) -> None:
    assert "do not rise" not in (folder / "report.html").read_text()
    assert "do not rise" not in (folder / "table.md").read_text()
    rows = [[cell.strip() for cell in row] for row in page.rows["table"]]
    assert rows[rows.index(["small", "0.500"]) + 1] == ["large", "0.250"]
    assert (
        "The teachers on validation items sums response_loss, nats a token, lower is better" in page.sections["table"]
    )


def test_validation_outcomes_are_no_results(world: World, fallen: World, folder: Path) -> None:
    """Whatever teachers score there, all numbers of the report are the same."""
    items = pd.read_parquet(folder / "items.parquet")
    assert len(items)
    assert not items["item"].str.startswith("validation").any()
    for name in ("items.parquet", "table.csv"):
        assert (fallen.folder / "report" / name).read_bytes() == (folder / name).read_bytes()
    first, second = (pd.read_csv(one / "comparisons.csv") for one in (folder, fallen.folder / "report"))
    pd.testing.assert_frame_equal(first.drop(columns="why"), second.drop(columns="why"))  # it has the time


def test_teachers_that_are_not_validated_are_said_to_be_unknown(tmp_path: Path) -> None:
    report = World(tmp_path, curves=False, undone=("validation of teacher large",)).report()
    table = (report.page.parent / "table.md").read_text()
    assert "- Teacher large is not evaluated on validation items of sums" in table
    assert "Teacher small" not in table
    assert "do not rise" not in table


def test_the_table_of_all_points_says_at_which_of_them_teachers_do_not_rise(fallen: World) -> None:
    file = fallen.folder / "tiny.yaml"
    points = point_plans(load_ablation(file, ["axes={teachers: [[small, large], [large, small]]}"]), file)
    axes = write_reports(points, fallen.store, fallen.folder / "grid").axes.read_text()
    said = [line for line in axes.split("\n") if "do not rise" in line]
    assert said == [f"**teachers=small+large: Warning: {TOLD}.**"]


def test_a_table_of_several_files_says_whose_teachers_do_not_rise(fallen: World) -> None:
    points = point_plans(fallen.ablation, fallen.folder / "tiny.yaml")
    files = write_several([OneFile(points, fallen.plan)], fallen.store, fallen.folder / "several").files
    assert f"- tiny: Warning: {TOLD}." in files[0].read_text().split("\n")
