"""One table out of several files says what each file's own report says, once each, and compiles."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fabricated_report import SEEDS, World
from page_text import Page
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import point_plans
from clpd_bench.plan.plan import whole
from clpd_bench.report.several.entries import entries
from clpd_bench.report.several.groups import MOST_GROUPS, OneFile, check_files, student_name, students
from clpd_bench.report.several.table import MISSING, split, table_of
from clpd_bench.report.several.write import SeveralReport, write_groups, write_several
from clpd_bench.results.published import read_published
from clpd_bench.results.standing import Standing
from clpd_bench.settings.parts.pretrained import Hub

STUDENT = "student:\n  initial: {name: llama, hidden_size: 8"
PUBLISHED = """system,benchmark,metric,value,spread,source,seeds
clpd,sums,response_loss,0.75,0.01,a paper's table 2,5
nobody,sums,response_loss,0.5,,a paper's table 2,
"""
KD_SMALL = '  kd_small: {order: shuffled, teachers: "only:small"}\n'


def opened(file: Path, *sets: str) -> OneFile:
    points = point_plans(load_ablation(file, list(sets)), file)
    return OneFile(points, whole(points))


class Three:
    """`tiny`; `wide`, a wider student on two benchmarks, with an arm more; `accurate`, tiny's student without sft, by
    exact match."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, curves=False, effect=0.1)
        text = (folder / "tiny.yaml").read_text()
        wide = text.replace(STUDENT, STUDENT.replace("8", "16")).replace("seeds:", f"{KD_SMALL}seeds:")
        bench = "    sums: {corpus: sums, max_new_tokens: 24}\n"
        (folder / "wide.yaml").write_text(
            wide.replace(bench, f"{bench}    more: {{corpus: many, max_new_tokens: 24}}\n")
        )
        accurate = text.replace("  sft: {order: shuffled, teachers: none}\n", "")
        (folder / "accurate.yaml").write_text(accurate.replace("metric: response_loss", "metric: exact_match"))
        self.files = [opened(folder / f"{name}.yaml") for name in ("tiny", "wide", "accurate")]
        for file in self.files:
            self.world.fill(file.plan)
        (folder / "tiny.csv").write_text(PUBLISHED)
        self.files[0] = replace(self.files[0], published=read_published(folder, "tiny"))
        self.out = folder / "tiny+wide+accurate"
        self.report: SeveralReport = write_several(self.files, self.world.store, self.out)
        self.primary = split(entries(self.report.groups))[0]
        self.table = table_of(self.primary, "")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Three:
    return Three(tmp_path_factory.mktemp("three"))


def test_one_student_has_one_head_over_all_its_files(three: Three) -> None:
    students, parts, metrics = ([(one.text, one.columns) for one in spans] for spans in three.table.spans)
    assert students == [("llama 2 x 8", 2), ("llama 2 x 16", 3)]
    assert parts == [("tiny", 1), ("accurate", 1), ("wide", 3)]
    loss = "response_loss (nats a token) ↓"
    assert metrics == [(loss, 1), ("exact_match (%) ↑", 1), (loss, 3)]
    assert [one.title for one in three.table.columns] == ["arm", "sums", "sums", "sums", "more", "average"]


def test_rows_keep_the_files_order_and_what_a_file_lacks_is_a_dash(three: Three) -> None:
    arms = {row[0].text: [cell.text == MISSING for cell in row[1:]] for row in three.table.sections[0].rows}
    assert list(arms)[:5] == ["sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd"]
    assert arms["sft"] == [False, True, False, False, False]
    assert arms["kd_small"] == [True, True, False, False, False]
    text = (three.out / "table.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| kd_small")]
    assert [cell.strip() for cell in row.split("|")[2:4]] == ["—", "—"]


def test_every_cell_is_what_the_files_own_report_says(three: Three) -> None:
    table = pd.read_csv(three.out / "table.csv")
    for name in ("tiny", "wide", "accurate"):
        means, tests = (pd.read_csv(three.out / name / f) for f in ("table.csv", "comparisons.csv"))
        mine = table[(table["ablation"] == name) & (table["benchmark"] != "macro average")]
        assert len(mine) == len(means)
        both = mine.merge(means, on=["kind", "arm", "benchmark", "metric"], validate="one_to_one")
        assert len(both) == len(means)
        for column in ("mean", "sd", "seeds"):
            pd.testing.assert_series_equal(both[f"{column}_x"], both[f"{column}_y"], check_names=False)
        compared = table[(table["ablation"] == name) & table["baseline"].notna()]
        both = compared.merge(tests, on=["arm", "benchmark", "metric"], validate="one_to_one")
        assert len(both) == len(tests[tests["arm"] != "interaction"])
        for column in ("difference", "low", "high", "p", "p_adjusted", "standing"):
            pd.testing.assert_series_equal(both[f"{column}_x"], both[f"{column}_y"], check_names=False)


def test_an_average_is_the_unweighted_mean_over_benchmarks(three: Three) -> None:
    table = pd.read_csv(three.out / "table.csv")
    wide = table[(table["ablation"] == "wide") & (table["metric"] == "response_loss")]
    means = wide.pivot_table(index="arm", columns="benchmark", values="mean")
    assert means["macro average"].tolist() == pytest.approx(((means["sums"] + means["more"]) / 2).tolist())


def test_the_star_is_the_corrected_test_and_the_dagger_the_standing(three: Three) -> None:
    table = pd.read_csv(three.out / "table.csv")
    assert (table["significant"] == (table["p_adjusted"] <= 0.05)).all()
    assert table["significant"].any()
    marks = {row[0].text: row[1].mark for row in three.table.sections[0].rows}
    assert marks["sft"] == "†"  # outside the family
    significant = next(one for one in three.primary if one.is_significant)
    for mark, standing in (("*", Standing("confirmatory", "")), ("*†", Standing("exploratory", ""))):
        alone = table_of([replace(significant, standing=standing)], "")
        assert [row[1].mark for row in alone.rows if row[0].text == significant.name] == [mark]
    baseline = next(one for one in three.primary if one.test is None)
    assert [row[1].mark for row in table_of([baseline], "").rows if row[0].text == baseline.name] == [""]


def test_bold_is_the_best_mean_of_the_arms_alone(three: Three) -> None:
    columns = dict.fromkeys((one.group.part, one.series) for one in three.primary)
    for place, column in enumerate(columns, start=1):
        mine = [one for one in three.primary if (one.group.part, one.series) == column and one.kind == "arm"]
        best = (min if column[1].metric == "response_loss" else max)(one.mean for one in mine)
        at_best = [one.name for one in mine if one.mean == best]
        expected = [] if len(at_best) == len(mine) else at_best  # exact match is the same everywhere here
        assert [row[0].text for row in three.table.rows if row[place].strong] == expected
    assert "which is no test" in (three.out / "table.md").read_text()


def test_references_stand_apart(three: Three) -> None:
    references = three.table.sections[1].rows
    assert [row[0].text for row in references] == ["student before", "teacher small", "teacher large"]
    assert " ± " in three.table.rows[0][1].text
    assert " ± " not in references[1][1].text
    tex = (three.out / "table.tex").read_text()
    assert tex.index("kd\\_small") < tex.rindex("\\midrule") < tex.index("student before")


def test_what_was_published_stands_below_ours_and_what_stands_nowhere_is_named(three: Three) -> None:
    lines = (three.out / "table.md").read_text().splitlines()
    (place,) = [i for i, line in enumerate(lines) if line.startswith("| clpd ")]
    cells = [cell.strip() for cell in lines[place + 1].split("|")[1:-1]]
    assert cells[0] == "published"
    ours = pd.read_csv(three.out / "table.csv").query(
        "ablation == 'tiny' and arm == 'clpd' and metric == 'response_loss'"
    )
    assert cells[1] == f"0.75 ± 0.01 ({ours['mean'].item() - 0.75:+.3f}, not compatible)"
    assert ours["ours_minus_published"].item() == pytest.approx(ours["mean"].item() - 0.75)
    assert ours["source"].item() == "a paper's table 2"
    assert set(cells[2:]) == {""}
    assert sum(line.startswith("| published") for line in lines) == 1
    assert any(line.startswith("- tiny: Not shown: ") and "nobody" in line for line in lines)
    assert r"\quad published" in (three.out / "table.tex").read_text()
    assert "<small>0.75 ± 0.01" in three.report.page.read_text()


def test_what_is_not_primary_stands_in_a_file_of_its_own(three: Three) -> None:
    primary, secondary = ((three.out / f"{name}.md").read_text() for name in ("table", "secondary"))
    assert "tiny, exact_match (%) ↑, sums" not in primary
    assert "tiny, exact_match (%) ↑, sums" in secondary
    assert "accurate, response_loss (nats a token) ↓, sums" in secondary
    assert "accurate, response_loss (nats a token) ↓, sums" not in primary


def test_each_file_has_its_complete_report_below_and_the_page_leads_there(three: Three) -> None:
    page = Page(three.report.page)
    for name in ("tiny", "wide", "accurate"):
        assert (three.out / name / "items.parquet").exists()
        assert (three.out / name / "report.html").exists()
        assert ("a", {"href": f"{name}/report.html"}) in page.tags
    assert "script" not in {tag for tag, _ in page.tags}  # a name and a question hold one
    assert [cell.strip("*†") for cell in page.rows["table"][4]][:2] == ["sft", "1.0108 ± 0.0098"]
    assert (three.out / "capacity_gap.csv").exists()  # wide has two teachers alone
    assert "figure-capacity_gap" in three.report.page.read_text()


@pytest.mark.parametrize("name", ["table.tex", "secondary.tex"])
def test_the_latex_is_whole(three: Three, name: str) -> None:
    body = (three.out / name).read_text().splitlines()[1:]
    rows = [line for line in body if line.endswith(r"\\")]
    count = len(table_of(split(entries(three.report.groups))[name == "secondary.tex"], "").columns) - 1
    for row in rows:
        spans = [int(span) for span in re.findall(r"\\multicolumn\{(\d+)\}", row)]
        assert len(re.findall(r"(?<!\\)&", row)) + sum(spans) - len(spans) == count
    assert not re.search(r"(?<!\\)[#%_]", re.sub(r"\{%\n|(?<!\\)\$[^$]*\$", "", "\n".join(body)))


@pytest.mark.skipif(
    shutil.which("pdflatex") is None and os.environ.get("CLPD_REQUIRE_LATEX") != "1", reason="pdflatex is not installed"
)
def test_the_latex_compiles_as_it_is_and_fits_the_page(three: Three, tmp_path: Path) -> None:
    packages = r"\usepackage{booktabs}\usepackage{graphicx}"
    inputs = "".join(rf"\input{{{three.out / name}}}" for name in ("table.tex", "secondary.tex"))
    (tmp_path / "m.tex").write_text(rf"\documentclass{{article}}{packages}\begin{{document}}{inputs}\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "m.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout[-2000:]
    assert "Overfull" not in result.stdout


def test_two_files_of_one_name_are_refused(three: Three, tmp_path: Path) -> None:
    shutil.copy(three.world.folder / "tiny.yaml", tmp_path / "tiny.yaml")
    with pytest.raises(UserError, match="both called tiny"):
        check_files([three.files[0], opened(tmp_path / "tiny.yaml")])


def test_points_are_groups_and_too_many_are_refused_before_anything_is_written(three: Three, tmp_path: Path) -> None:
    grid = opened(three.world.folder / "tiny.yaml", "axes={curriculum.pacing.strength: [0.6, 1]}")
    three.world.fill(grid.points[1].plan)
    groups = write_groups([grid], three.world.store, tmp_path / "out")
    assert [group.part for group in groups] == ["tiny [strength=0.6]", "tiny [strength=1]"]
    assert [group.folder for group in groups] == ["tiny/strength=0.6", "tiny/strength=1"]
    assert table_of(split(entries(groups))[0], "").spans[1] == [("tiny [strength=0.6]", 1), ("tiny [strength=1]", 1)]
    values = [round(0.05 * i, 2) for i in range(1, MOST_GROUPS + 1)]
    many = opened(three.world.folder / "wide.yaml", f"axes={{curriculum.pacing.strength: {values}}}")
    with pytest.raises(UserError, match=r"12 groups of columns, and there are 13 .*clpd report"):
        write_several([three.files[0], many], three.world.store, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_students_of_one_name_that_start_from_other_weights_have_heads_of_their_own(
    three: Three, tmp_path: Path
) -> None:
    text = (three.world.folder / "tiny.yaml").read_text()
    other = STUDENT.replace("name: llama, ", "name: llama, initializer_range: 0.02, ")
    (tmp_path / "cold.yaml").write_text(text.replace(STUDENT, other))
    (tiny,), (cold,) = three.files[0].points, opened(tmp_path / "cold.yaml").points
    assert students([tiny, cold]) == ["llama 2 x 8, tiny", "llama 2 x 8, cold"]
    assert students([tiny, three.files[2].points[0]]) == ["llama 2 x 8"] * 2


def test_students_are_called_by_what_they_start_from() -> None:
    file = Path(__file__).parents[1] / "settings" / "small.yaml"
    assert student_name(load_ablation(file)) == "llama 2 x 8"
    assert student_name(load_ablation(file, ["student.initial=small"])) == "llama 2 x 8 (small)"
    hub = Hub(name="hub", model="Qwen/Qwen2.5-0.5B", revision="a" * 40)
    ablation = load_ablation(file)
    student = ablation.student.model_copy(update={"initial": hub})
    assert student_name(ablation.model_copy(update={"student": student})) == "Qwen2.5-0.5B"


def test_the_verb_prints_the_primary_table_and_the_same_store_gives_the_same_bytes(three: Three) -> None:
    before = {file: file.read_bytes() for file in three.report.files}
    files = [str(three.world.folder / f"{name}.yaml") for name in ("tiny", "wide", "accurate")]
    options = ["--store", str(three.world.store.root), "--out", str(three.out), "--reference", str(three.world.folder)]
    said = CliRunner().invoke(app, ["report", *files, *options])
    assert said.exit_code == 0, said.output
    assert {file: file.read_bytes() for file in before} == before
    assert said.stdout.startswith((three.out / "table.md").read_text())
    assert (three.out / "secondary.md").read_text() not in said.stdout
    assert f"Secondary results: --all, or {three.out / 'secondary.md'}" in said.stdout
    assert f"tiny, accurate, wide: {SEEDS} seeds, baseline standard_kd" in said.stdout
    assert "on these items; at one learning rate for all arms, not tuned.\n" in said.stdout
    for wrong in (["--power"], ["--reference", str(three.world.folder / "tiny.csv")]):
        assert isinstance(CliRunner().invoke(app, ["report", *files, *options, *wrong]).exception, UserError)
