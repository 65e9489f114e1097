"""One table says the same in every medium."""

from __future__ import annotations

import re
from html import unescape

from clpd_bench.tables.html import html
from clpd_bench.tables.latex import latex
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.table import Cell, Column, Section, Span, Table

TABLE = Table(
    [Column("arm"), Column("sums", "center"), Column("more | less", "right")],
    [
        Section([[Cell("<kd> & co"), Cell("46.3 ± 1.8", strong=True, mark="*†", number=True), Cell("")]]),
        Section(
            [[Cell("large", remark="published"), Cell("50", remark="49 (-1)"), Cell("")]], "No arm", "of", soft=True
        ),
    ],
    [[Span("wide", 1), Span("", 1)]],
    "A caption.",
)


def test_html_escapes_every_text_and_has_every_cell() -> None:
    shown = str(html(TABLE, {"<kd> & co": "#123456"}, id="one"))
    assert "<kd>" not in shown
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", shown)]
    plain = [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in rows]
    assert plain == [
        ["", "wide", ""],
        ["arm", "sums", "more | less"],
        ["<kd> & co", "46.3 ± 1.8*†", ""],
        ["No arm"],
        ["largepublished", "5049 (-1)", ""],
    ]
    assert "<b>46.3 ± 1.8</b><sup>*†</sup>" in shown
    assert shown.count("background:#123456") == 1
    assert shown.index('<tbody class="soft">') > shown.index("kd")
    assert '<table id="one">' in shown


def test_markdown_puts_what_spans_a_column_before_its_title_and_a_section_below_its_own() -> None:
    arms, title, others = markdown(TABLE).split("\n\n")
    assert [line.split(" | ")[1].strip() for line in arms.splitlines()][::2] == ["wide, sums", "**46.3 ± 1.8**\\*†"]
    assert "more \\| less" in arms
    assert title == "No arm"
    # With a title, without the column in which it has nothing; the remarks are a line of their own.
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in others.splitlines()][2:] == [
        ["large", "50"],
        ["published", "49 (-1)"],
    ]
    assert others.startswith("| of ")


def test_latex_has_a_line_of_remarks_and_sets_numbers_as_mathematics() -> None:
    text = latex(TABLE, fit=True)
    assert r"$\mathbf{46.3 \pm 1.8}^{\ast\dagger}$" in text
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert all(line.count("&") - line.count(r"\&") == 2 for line in lines if "multicolumn" not in line)
    assert lines[-1].startswith(r"\quad published")
    assert r"\footnotesize 49 ($-$1)" in lines[-1]
    assert r"\caption{A caption.}" in text
