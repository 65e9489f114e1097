"""The page stands by itself, escapes names, and says what the numbers and the store say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fabricated_report import EVIL, QUESTION, SEEDS, World
from page_text import Page
from pictures import rendered

from clpd_bench.errors import UserError
from clpd_bench.grid.cells import cells
from clpd_bench.launch.prepare import cell_exposure
from clpd_bench.report.figures.draw import NAMES
from clpd_bench.report.figures.style import WIDTH
from clpd_bench.report.verdict import NULL
from clpd_bench.results.schedules import arm_schedules

SECTIONS = [
    "verdict",
    "table",
    "figures",
    "secondary",
    "cost",
    "differences",
    "exposure",
    "provenance",
    "rerun",
    "missing",
]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_page_loads_nothing_and_runs_nothing(page: Page) -> None:
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "poster", "data", "action"):
            assert (attributes.get(name) or "#").startswith(("data:image/", "#"))
    assert "url(" not in page.styles
    assert "@import" not in page.styles
    assert len([tag for tag, _ in page.tags if tag == "img"]) == 6 + 3
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")


def test_what_a_user_typed_is_text(page: Page, folder: Path) -> None:
    assert QUESTION in page.sections[""]
    assert EVIL in page.sections["table"]
    assert EVIL in page.sections["differences"]
    assert "<script" not in (folder / "report.html").read_text()


def test_sections_come_in_the_order_of_a_readers_questions(page: Page) -> None:
    assert [attributes["id"] for tag, attributes in page.tags if tag == "section"] == SECTIONS


def test_the_verdicts_numbers_are_those_of_comparisons_csv(page: Page, folder: Path) -> None:
    comparisons = pd.read_csv(folder / "comparisons.csv", keep_default_na=False)
    primary = comparisons[(comparisons["metric"] == "response_loss") & (comparisons["p_adjusted"] != "")]
    assert set(primary["arm"]) == {"data_ordering", "teacher_scheduling", "clpd"}
    for row in primary.itertuples():
        found = re.search(
            rf"(?<!\w){row.arm}: [^:]+: (\S+) nats a token, 95% interval (\S+) to (\S+) \(unadjusted\), "
            rf"(\d) seeds, p (?:= )?(\S+) after Holm",
            page.sections["verdict"],
        )
        assert found, row.arm
        for text, exact in zip(found.groups()[:3], (row.difference, row.low, row.high), strict=True):
            assert float(text) == round(float(exact), len(text.partition(".")[2]))
        assert int(found[4]) == row.seeds == SEEDS
        assert float(found[5]) == pytest.approx(float(row.p_adjusted), abs=0.006)


def test_a_null_reads_as_null_and_a_difference_does_not(page: Page, tmp_path: Path) -> None:
    found = Page(World(tmp_path, effect=0.4).report().page)
    assert NULL in page.sections["verdict"]
    assert (
        "data_ordering, teacher_scheduling and clpd: no significant difference from standard_kd"
        in page.sections["verdict"]
    )
    assert "does not mean that there is none" in page.sections["verdict"]
    assert "better" not in page.sections["verdict"]
    assert NULL not in found.sections["verdict"]
    assert "clpd: better than standard_kd" in found.sections["verdict"]
    assert "data_ordering and teacher_scheduling: no significant difference" in found.sections["verdict"]


def test_exposure_is_the_schedules(page: Page, world: World) -> None:
    schedules, absent = arm_schedules(world.ablation, world.plan, world.store)
    assert not absent
    rows = [row for row in page.rows["exposure"] if row]
    for cell in cells(world.ablation, world.plan.name):
        if cell.seed != world.ablation.seeds[0]:
            continue
        one = schedules[cell.arm_name]
        split_ids, tokens = one.schedule.ids, one.tokens
        shown = cell_exposure(
            cell, world.ablation.teachers, split_ids, tokens, tokens - 2, np.arange(len(tokens)) % 6.0
        )
        first = next(i for i, row in enumerate(rows) if row[0] == cell.arm_name)
        counts: dict[tuple[int, int], list[int]] = {}
        for row in rows[first : first + 2]:
            assert len(row) == 5 + 2 * 2
            for bucket in (1, 2):
                counts[bucket, int(row[3])] = [int(row[4 + bucket]), int(row[6 + bucket])]
        for (bucket, stage, teacher), presentations in shown.presentations.items():
            assert counts[bucket, stage] == [presentations, shown.response_tokens[bucket, stage, teacher]]
        assert (rows[first][1], rows[first][2]) == (str(shown.steps), str(shown.tokens))
        assert rows[first + 2][5:7] == [
            str(sum(n for (b, _, _), n in shown.presentations.items() if b == k)) for k in (1, 2)
        ]
    assert "All 18 students consumed exactly the presentations" in page.sections["exposure"]


@pytest.fixture(scope="module")
def pictured(world: World) -> Path:
    """The report with its pictures."""
    with rendered():
        world.report("pictured")
    return world.folder / "pictured"


def test_pictures_are_vector_with_embedded_fonts_and_print_size(pictured: Path) -> None:
    for name in NAMES:
        if name == "capacity_gap":
            continue
        pdf, png = ((pictured / "figures" / f"{name}.{kind}").read_bytes() for kind in ("pdf", "png"))
        assert b"/FontFile2" in pdf
        assert b"/Type3" not in pdf
        assert b"/CreationDate" not in pdf
        assert int.from_bytes(png[16:20], "big") == round(WIDTH * 300)


def test_two_reports_of_one_store_are_equal_and_leave_it_alone(world: World, pictured: Path) -> None:
    before = contents(world.folder / "store")
    with rendered():
        report = world.report("again")
    assert contents(pictured) == contents(world.folder / "again")
    assert contents(world.folder / "store") == before
    assert report.files[0].name == "table.md"
    assert report.page == world.folder / "again" / "report.html"
    assert sorted(report.files) == sorted(file for file in report.page.parent.rglob("*") if file.is_file())


def test_what_is_missing_is_said_and_prevents_nothing(broken: World) -> None:
    text = Page(broken.folder / "report" / "report.html").sections
    assert "clpd at seed 1 on sums: pending." in text["missing"]
    assert "teacher large on sums: pending." in text["missing"]
    assert "standard_kd at seed 0 has left no training curve" in text["missing"]
    for section in ("figures", "missing"):
        assert "Training curves are not drawn" in text[section]
        assert "Scores by difficulty are not drawn" in text[section]
    assert "Incomplete." in text["verdict"]
    assert "2 seeds" in text["verdict"]
    assert "3 jobs are not done" in text["cost"]
    assert sorted(file.stem for file in (broken.folder / "report" / "figures").glob("*.pdf")) == [
        "cost", "differences", "schedule", "scores", "secondary_differences", "secondary_scores",
    ]  # fmt: skip


def test_nothing_evaluated_is_an_error(tmp_path: Path) -> None:
    world = World(tmp_path, curves=False, undone=("evaluation",))
    with pytest.raises(UserError, match="nothing has been evaluated"):
        world.report()
    assert not (tmp_path / "report").exists()


def test_the_verdict_says_what_it_is_conditional_on(page: Page) -> None:
    assert "conclusions are conditional on" in page.sections["verdict"]


def test_only_the_primary_result_is_open_to_see(page: Page, folder: Path) -> None:
    """Nothing secondary stands outside an element that is closed until somebody opens it."""
    text = (folder / "report.html").read_text()
    opened = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    assert "<details open" not in text
    assert "sums response_loss" in opened
    assert "exact_match" in text
    assert "exact_match" not in opened
    assert "figure-secondary_scores" not in opened
    assert "figure-scores" in opened
    assert "Benjamini-Hochberg" in page.sections["secondary"]
    assert text.index('id="verdict"') < text.index('id="table"') < text.index('id="secondary"')


def test_every_comparison_on_the_page_says_what_it_is(page: Page, broken: World, folder: Path) -> None:
    table = pd.read_csv(folder / "comparisons.csv")
    for section, metric in (("table", "response_loss"), ("secondary", "exact_match")):
        shown = [[cell.strip() for cell in row] for row in page.rows[section]]
        scores = {row[0]: row[-1] for row in shown if row and row[-1] in ("confirmatory", "exploratory")}
        mine = table[table["metric"] == metric].set_index("arm")["standing"].to_dict()
        assert scores == mine
        assert scores["sft"] == scores["interaction"] == "exploratory"
    verdict = Page(broken.folder / "report" / "report.html").sections["verdict"]  # where nothing was declared
    assert "Exploratory: data_ordering, teacher_scheduling, clpd. Nothing in the store shows" in verdict
    assert verdict.count("Exploratory.") == 3


def test_without_a_difficulty_there_is_one_bucket(tmp_path: Path) -> None:
    world = World(tmp_path, edits={"order: easy_to_hard": "order: shuffled", "difficulty: cot_tokens, ": ""})
    assert not any(job.kind == "difficulty" for job in world.plan.jobs.values())
    assert "One bucket holds all examples." in world.report().page.read_text()
