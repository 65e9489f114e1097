"""Published numbers: read as they were written, or refused with file, line and column; never without a source."""

from __future__ import annotations

import contextlib
import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clpd_bench.analysis.series import Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.errors import UserError
from clpd_bench.report.beside import set_beside
from clpd_bench.results.published import NEEDED, OPTIONAL, Published, asked_for, of_point, read_published

HEADER = ",".join(NEEDED)
ROW = "clpd,gsm8k,exact_match,46.3,1.2,Table 2"


def read(folder: Path, text: str) -> list[Published]:
    (folder / "math.csv").write_text(text)
    return read_published(folder, "math")


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    text = f'{HEADER},seeds,filter,point\n{ROW},5,strict,\n\nteacher large,sums,response_loss,0.31,,"Doe, 2026",,,k=2\n'
    file = tmp_path / "math.csv"
    assert read(tmp_path, text) == [
        Published("clpd", "gsm8k", "exact_match", "strict", None, 46.3, 1.2, 5, "Table 2", file, 2),
        Published("teacher large", "sums", "response_loss", None, "k=2", 0.31, None, None, "Doe, 2026", file, 4),
    ]
    assert asked_for(file, "whatever") == asked_for(tmp_path, "math") == read_published(tmp_path, "math")


def test_a_metric_may_be_written_as_the_tables_show_it(tmp_path: Path) -> None:
    (one,) = read(tmp_path, f"{HEADER}\n{ROW.replace('exact_match', 'exact_match (strict match)')}\n")
    assert (one.metric, one.filter, one.title) == ("exact_match", "strict match", "exact_match (strict match)")


def test_where_there_is_no_file_there_are_no_numbers_unless_somebody_asked_for_them(tmp_path: Path) -> None:
    assert read_published(tmp_path, "math") == read_published(tmp_path / "no", "math") == []
    (tmp_path / "maths.csv").write_text(f"{HEADER}\n")
    with pytest.raises(UserError, match=r"math\.csv: there are no published numbers.*Did you mean 'maths\.csv'"):
        asked_for(tmp_path, "math")
    with pytest.raises(UserError, match="there are no published numbers"):
        asked_for(tmp_path / "other.csv", "math")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"math\.csv:1: the column system is missing.*Begin the file with system,benchmark"),
        (f"{HEADER},sede\n", r":1: unknown column. Found 'sede'. Did you mean 'seeds'"),
        (f"{HEADER},value\n", ":1: the column value is there twice"),
        (f"{HEADER}\n{ROW},5\n", ":2: has another number of columns than the first line"),
        (f"{HEADER}\nclpd,gsm8k,exact_match\n", ":2: has another number of columns than the first line"),
        (f"{HEADER}\n{ROW}\n{ROW.replace('Table 2', ' ')}\n", ":3: source: is empty.*Cite where the number stands"),
        (f"{HEADER}\n,{ROW.split(',', 1)[1]}\n", ":2: system: is empty"),
        (
            f"{HEADER}\n{ROW.replace('exact_match', 'exact')}\n",
            ":2: metric: unknown metric. Found 'exact'. Did you mean",
        ),
        (f"{HEADER}\n{ROW.replace('46.3', '46,3')}\n", ":2: has another number of columns"),
        (f"{HEADER}\n{ROW.replace('46.3', '46%')}\n", ":2: value: wants a number.*'46%'"),
        (f"{HEADER}\n{ROW.replace('46.3', 'nan')}\n", ":2: value: wants a number"),
        (f"{HEADER}\n{ROW.replace('46.3', '463')}\n", ":2: value: exact_match is in percent, from 0 to 100. Found 463"),
        (f"{HEADER}\n{ROW.replace('1.2', '-1')}\n", ":2: spread: a standard deviation is 0 or more. Found -1"),
        (f"{HEADER},seeds\n{ROW},0\n", ":2: seeds: wants a whole number from 1 on"),
        (f"{HEADER},seeds\n{ROW},2.5\n", ":2: seeds: wants a whole number"),
        (f"{HEADER},filter\n{ROW.replace('match', 'match (a)')},b\n", ":2: filter: the metric says a. Found 'b'"),
        (f"{HEADER}\n{ROW}\n{ROW.replace('46', '47')}\n", r":3: clpd on gsm8k exact_match stands in line 2 already"),
        (f'{HEADER}\n"clpd,gsm8k', "is no table of comma-separated values"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, text)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=6, max_size=9))
def test_whatever_stands_in_a_line_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with (folder / "math.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[*NEEDED, *OPTIONAL][: len(cells)], cells])
    with contextlib.suppress(UserError):
        assert all(one.source and math.isfinite(one.value) for one in read_published(folder, "math"))


def published(system: str = "clpd", benchmark: str = "gsm8k", its_filter: str | None = None, **rest: str) -> Published:
    point = rest.get("point")
    return Published(system, benchmark, "exact_match", its_filter, point, 46.3, None, None, "T", Path("math.csv"), 2)


SERIES = [
    Series("gsm8k", "exact_match", name, f"exact_match ({name})") for name in ("strict", "flexible", "strict-match")
]
FOUND = [Summary("clpd", "arm", "gsm8k", one.name, 0.463, 0.01, 3, 100) for one in SERIES]


def beside(one: Published) -> tuple[list[tuple[str, str, str]], str]:
    found, absent = set_beside([one], FOUND, SERIES, ["clpd", "sft"], 0.05)
    return list(found), absent[0] if absent else ""


def test_a_number_stands_beside_the_series_of_its_filter() -> None:
    for name in ("strict-match", "flexible"):
        assert beside(published(its_filter=name)) == ([("clpd", "gsm8k", f"exact_match ({name})")], "")


def test_a_published_strict_number_stands_beside_lm_evals_own_filter_alone() -> None:
    places, said = beside(published(its_filter="strict"))
    assert places == []
    assert "published strict numbers are under lm-eval's strict-match" in said


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (published("clbd"), "no arm and no reference is called so. Found 'clbd'. Did you mean 'clpd'?"),
        (published(benchmark="gsm9k"), "there are no outcomes on that. Found 'gsm9k exact_match'. Did you mean"),
        (published(), "several filters have it, and `filter` names none. Allowed: strict, flexible, strict-match"),
        (published(its_filter="strikt"), "no filter is called so. Found 'strikt'. Did you mean 'strict'"),
        (published("sft", its_filter="flexible"), "sft has no outcomes on that yet"),
        (published(point="k=2", its_filter="flexible"), "this ablation has no point k=2"),
    ],
)
def test_one_that_stands_nowhere_is_told_with_the_reason(one: Published, why: str) -> None:
    places, said = beside(one)
    assert places == []
    assert f"(line 2): {why}" in said


def test_numbers_of_a_point_are_shown_there_alone() -> None:
    numbers = [published("a"), published("b", point="k=2"), published("c", point="k=3")]
    assert [one.system for one in of_point(numbers, "k=2")] == ["a", "b"]


def test_a_number_of_a_point_comes_before_one_of_all_points() -> None:
    for lines in (["one", None], [None, "one"]):
        found = of_point([replace(published(), point=point, source=str(point)) for point in lines], "one")
        assert [one.source for one in found] == ["one"]
