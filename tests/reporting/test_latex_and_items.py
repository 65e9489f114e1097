"""table.tex survives any name; items are read by one call, and importing the package costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fabricated_report import EVIL

import clpd_bench
from clpd_bench.analysis.series import ITEM_COLUMNS
from clpd_bench.errors import UserError
from clpd_bench.results.frame import read_items
from clpd_bench.tables.latex import escaped


def test_latex_specials_are_escaped() -> None:
    assert escaped("50% of a_b & #1 {x}") == r"50\% of a\_b \& \#1 \{x\}"
    assert escaped("$x^2$ ~ \\frac") == r"\$x\textasciicircum{}2\$ \textasciitilde{} \textbackslash{}frac"
    assert escaped("a--b\n\nc") == "a{-}{-}b c"
    assert escaped("[t] *") == "{[}t{]} {*}"


@pytest.mark.parametrize("name", ["table.tex", "secondary.tex"])
def test_the_latex_table_is_whole(folder: Path, name: str) -> None:
    text = (folder / name).read_text()
    assert text.startswith("%")
    assert "booktabs" in text.splitlines()[0]
    body = text.splitlines()[1:]
    assert not re.search(r"(?<!\\)[#%]", "\n".join(body))
    assert not re.search(r"(?<!\\)_", "\n".join(body))
    for opened in ("table", "tabular"):
        assert text.count(rf"\begin{{{opened}}}") == text.count(rf"\end{{{opened}}}") == 1
    bare = re.sub(r"\\[{}]", "", "\n".join(body))
    assert bare.count("{") == bare.count("}")
    assert len(re.findall(r"(?<!\\)\$", bare)) % 2 == 0
    rows = [line for line in body if line.endswith(r"\\") and "multicolumn" not in line]
    assert len(rows) == 1 + (6 + 1 + 3)
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {4}
    assert any(row.startswith(escaped(EVIL)) for row in rows)


def test_items_are_read_from_folder_or_file(folder: Path) -> None:
    items = read_items(folder)
    assert list(items.columns) == list(ITEM_COLUMNS)
    assert items.equals(clpd_bench.read_items(str(folder / "items.parquet")))
    assert EVIL in set(items["arm"])
    with pytest.raises(UserError, match="there are no items"):
        read_items(folder / "nowhere")


def test_every_column_is_documented() -> None:
    assert read_items.__doc__
    for column in ITEM_COLUMNS:
        assert re.search(rf"\b{column}\b", read_items.__doc__), column


def test_the_package_is_light_and_figures_need_no_pyplot() -> None:
    code = (
        "import sys, clpd_bench, clpd_bench.cli.plan_text\n"
        "heavy = {'torch', 'transformers', 'pandas', 'scipy', 'statsmodels', 'matplotlib', 'jinja2'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import clpd_bench.report.report\n"
        "assert not {'torch', 'transformers', 'matplotlib.pyplot'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
