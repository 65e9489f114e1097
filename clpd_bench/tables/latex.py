"""A table as LaTeX, with booktabs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from clpd_bench.tables.table import Cell, Column, Row, Section, Span, Table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "`": r"\textasciigrave{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "[": "{[}",  # behind a line break it would be an argument, and so would a star
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "†": r"$\dagger$",
    "−": "$-$",
    "–": "--",
    "—": "---",
}
_MARKS = {"*": r"\ast", "†": r"\dagger"}
_ROOMY = 5
"""Columns that fit a page in full size."""
_ROOM = r"@{\hspace{1.2em}}"
_ALIGN = {"left": "l", "center": "c", "right": "r"}


def escaped(text: str) -> str:
    """Text as LaTeX prints it, on one line. Letters beyond Latin are the document's own affair."""
    one_line = re.sub(r"\s+", " ", text)
    dashes = re.sub(r"--+", lambda found: "\0" * len(found[0]), one_line)
    return "".join(_SPECIAL.get(c, c) for c in dashes).replace("\0", "{-}")


def latex(table: Table, *, fit: bool = False) -> str:
    """The float; with `fit` as wide as the page, and shrunk where it is wider."""
    width = max((len(escaped(row[0].text)) for row in table.rows), default=0)
    columns = "".join(_ALIGN[column.align] for column in table.columns[1:])
    small = [r"\small\setlength{\tabcolsep}{3pt}"] if len(table.columns) > _ROOMY else []
    needs = r"\usepackage{booktabs} and nothing else."
    shrink = [r"\setlength{\tabcolsep}{4pt}", r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"]
    if fit:
        needs = r"\usepackage{booktabs} and \usepackage{graphicx} (which shrinks it where it is too wide)."
    lines = [
        f"% Needs {needs}",
        rf"\begin{{table{'*' if fit else ''}}}[t]",
        r"\centering",
        rf"\caption{{{escaped(table.caption)}}}",
        *(shrink if fit else small),
        rf"\begin{{tabular}}{{l{'' if fit else _ROOM}{columns}}}",
        r"\toprule",
        *(line for spans in table.spans for line in _spans(spans)),
        " & ".join(_title(column) for column in table.columns) + r" \\",
        *(line for section in table.sections for line in _section(section, len(table.columns), width)),
        r"\bottomrule",
        rf"\end{{tabular}}{'}' if fit else ''}",
        rf"\end{{table{'*' if fit else ''}}}",
        "",
    ]
    return "\n".join(lines)


def _title(column: Column) -> str:
    """A lone letter is a variable."""
    return f"${column.title}$" if len(column.title) == 1 else escaped(column.title)


def _spans(spans: Sequence[Span]) -> list[str]:
    """A line of heads, and rules under those that span several columns."""
    cells = [rf"\multicolumn{{{n}}}{{c}}{{{escaped(text)}}}" if n > 1 else escaped(text) for text, n in spans]
    ends = list(accumulate((n for _, n in spans), initial=1))
    rules = [rf"\cmidrule(lr){{{end - n + 1}-{end}}}" for (_, n), end in zip(spans, ends[1:], strict=True) if n > 1]
    return [" & " + " & ".join(cells) + r" \\", *([" ".join(rules)] if rules else [])]


def _section(section: Section, columns: int, width: int) -> list[str]:
    title = rf"\multicolumn{{{columns}}}{{l}}{{\textit{{{escaped(section.title)}}}}} \\"
    return [
        r"\midrule" if section.ruled else r"\addlinespace",
        *([title] if section.title else []),
        *(line for row in section.rows for line in _row(row, width)),
    ]


def _row(row: Row, width: int) -> list[str]:
    """A line, and one of the remarks below it if it has any."""
    first, *others = row
    lines = [rf"{escaped(first.text):<{width}} & {' & '.join(map(_cell, others))} \\"]
    if any(cell.remark for cell in row):
        lines.append(rf"\quad {first.remark:<{width}} & {' & '.join(map(_remark, others))} \\")
    return lines


def _remark(cell: Cell) -> str:
    return rf"\footnotesize {escaped(cell.remark).replace('(-', '($-$')}" if cell.remark else ""


def _cell(cell: Cell) -> str:
    if not cell.text:
        return ""
    if not cell.number:
        return escaped(cell.text)
    number = cell.text.replace(" ± ", r" \pm ").replace(", ", ",\\ ")
    mark = "".join(_MARKS[one] for one in cell.mark)
    bold = rf"\mathbf{{{number}}}" if cell.strong else number
    return f"${bold}^{{{mark}}}$" if mark else f"${bold}$"
