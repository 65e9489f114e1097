"""Published numbers stand beside ours in every file of a report; where there are none, no byte is another."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from fabricated_report import EVIL, World
from page_text import Page
from test_points import Grid

from clpd_bench.report.beside import Beside
from clpd_bench.report.report import write_report
from clpd_bench.report.several.points import write_reports
from clpd_bench.results.published import Published

SOURCE = "Doe & <b>Roe</b> 2026, 50% of Table_2"


def number(system: str, metric: str, value: float, spread: float | None = None, seeds: int | None = None) -> Published:
    return Published(system, "sums", metric, None, None, value, spread, seeds, SOURCE, Path("tiny.csv"), 2)


NUMBERS = [
    number("clpd", "response_loss", 1.25, 0.01, 5),
    number("sft", "response_loss", 1.0),
    number(EVIL, "exact_match", 50.0),
    number("teacher large", "exact_match", 97.5, 0.5),
    number("teacher large", "response_loss", 0.3),
    number("MiniLLM", "exact_match", 33.0),
]


@pytest.fixture(scope="module")
def out(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beside") / "report"
    write_report(world.ablation, world.plan, world.store, folder, NUMBERS)
    return folder


def test_without_numbers_a_report_is_what_it_was(world: World, tmp_path: Path) -> None:
    folder = world.report("plain").page.parent
    write_report(world.ablation, world.plan, world.store, tmp_path / "again", [])
    for file in folder.rglob("*"):
        if file.is_file():
            assert (tmp_path / "again" / file.relative_to(folder)).read_bytes() == file.read_bytes(), file.name
    texts = [file.read_text() for file in folder.iterdir() if file.suffix in (".md", ".tex", ".csv")]
    assert not any("ublished" in text for text in texts)
    assert "Published" not in (folder / "report.html").read_text()


def test_the_csv_has_numbers_and_differences_in_the_metrics_own_units(out: Path, folder: Path) -> None:
    plain, table = pd.read_csv(folder / "table.csv"), pd.read_csv(out / "table.csv")
    assert list(table.columns) == [*plain.columns, *Beside._fields]
    pd.testing.assert_frame_equal(table[plain.columns], plain)
    rows = table.dropna(subset=["published"]).set_index(["arm", "metric"])
    assert len(rows) == 5
    assert rows["published"]["teacher large", "exact_match"] == 0.975
    assert rows["published_sd"]["teacher large", "exact_match"] == 0.005
    assert rows["published_seeds"]["clpd", "response_loss"] == 5
    assert math.isnan(rows["published_seeds"]["sft", "response_loss"])
    for row in rows.itertuples():
        assert row.ours_minus_published == pytest.approx(row.mean - row.published, abs=1e-15)
    assert set(rows["source"]) == {SOURCE}
    words = {place: (row["compatible"], row["compatible_by"]) for place, row in rows.iterrows()}
    assert words["clpd", "response_loss"][1].startswith("Welch's t over seeds, p ")
    assert words["sft", "response_loss"][1].startswith("prediction interval for one further run [")
    assert words["teacher large", "exact_match"] == ("not compatible", "Wilson's interval over 24 items [31, 69]")
    assert words["teacher large", "response_loss"][0] == words[EVIL, "exact_match"][0] == "not testable"


def lines_of(text: str, name: str) -> list[list[str]]:
    return [[c.strip() for c in line.split(" | ")] for line in text.splitlines() if line.startswith(f"| {name} ")]


def test_markdown_shows_them_in_both_files(out: Path) -> None:
    primary, secondary = (out / "table.md").read_text(), (out / "secondary.md").read_text()
    text = primary + secondary
    for header in re.findall(r"^\| (?:arm|reference) .*$", text, re.MULTILINE):
        columns = [c.strip(" |") for c in header.split(" | ")]
        assert columns[-3:] == ["published", "ours - published", "compatible"]
    assert any(line[-3] == "1.25 ± 0.01" and "(Welch's t over seeds, p" in line[-1] for line in lines_of(text, "clpd"))
    (teacher,) = [line for line in lines_of(text, "teacher large") if "97.5 ± 0.5" in line]
    assert teacher[-2:] == ["-47.5", "not compatible (Wilson's interval over 24 items [31, 69]) |"]
    said = primary[primary.index("## Published numbers") : primary.index("## Missing")]
    assert f"Published in {SOURCE}: " in said
    assert "Not shown: MiniLLM on sums exact_match (line 2): no arm and no reference is called so" in said
    assert "reproduc" not in text


def test_the_page_shows_them_escaped(out: Path) -> None:
    page = Page(out / "report.html")
    assert "<b>Roe</b>" not in (out / "report.html").read_text()
    for section in ("table", "secondary"):
        (teacher,) = [row for row in page.rows[section] if row and row[0] == "teacher large"]
        (header,) = [row for row in page.rows[section] if "standing" in row]
        assert [name.strip() for name in header[-3:]] == ["published", "ours - published", "compatible"]
        assert re.match("not (compatible|testable)", teacher[-1])
    assert "Not shown: MiniLLM" in page.sections["table"]
    assert SOURCE in page.sections["table"]


@pytest.mark.parametrize("name", ["table.tex", "secondary.tex"])
def test_the_latex_compiles_with_them(out: Path, tmp_path: Path, name: str) -> None:
    text = (out / name).read_text()
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {7}
    assert "ours $-$ published" in text
    if shutil.which("pdflatex") is None and os.environ.get("CLPD_REQUIRE_LATEX") != "1":
        pytest.skip("there is no pdflatex here")
    document = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{text}\\end{{document}}"
    (tmp_path / "paper.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_grid_shows_them_at_their_points(tmp_path: Path) -> None:
    grid = Grid(tmp_path)
    grid.fill()
    of_point = Published(
        "clpd", "sums", "response_loss", None, "strength=1", 1.25, 0.01, 5, SOURCE, Path("tiny.csv"), 7
    )
    lost = Published("clpd", "sums", "response_loss", None, "strength=2", 1.3, None, None, SOURCE, Path("tiny.csv"), 8)
    numbers = [number("sft", "response_loss", 1.0), of_point, lost]
    written = write_reports(grid.points, grid.world.store, grid.out, numbers)
    file, secondary = written.axes, written.secondary
    axes = pd.read_csv(grid.out / "axes.csv").dropna(subset=["published"])
    assert set(zip(axes["point"], axes["arm"], strict=True)) == {
        ("strength=0.6", "sft"),
        ("strength=1", "sft"),
        ("strength=1", "clpd"),
    }
    text = file.read_text() + secondary.read_text()
    assert "1.25 ± 0.01" in text
    assert "(Welch's t over seeds, p" in text
    assert "Not shown: clpd on sums response_loss (line 8): no point is called so. Found 'strength=2'" in text
