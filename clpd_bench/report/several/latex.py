"""table.tex and secondary.tex of several files, for a paper."""

from __future__ import annotations

from itertools import accumulate

from clpd_bench.report.latex import escaped
from clpd_bench.report.several.markdown import EXPLORATORY, PUBLISHED, SIGNIFICANT, caption, marks, published, score
from clpd_bench.report.several.table import Cell, Column, Line, Table

_SYMBOLS = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", EXPLORATORY: r"$\dagger$", "—": "---"}
_MARKS = {SIGNIFICANT: r"\ast", EXPLORATORY: r"\dagger"}


def several_latex(table: Table, title: str) -> str:
    """The text: lines of heads for students, files, metrics and benchmarks. It is shrunk to the width of the
    page where it is wider."""
    width = max(len(escaped(line.name)) for line in [*table.arms, *table.references])
    count = len(table.columns)
    lines = [
        r"% Needs \usepackage{booktabs} and \usepackage{graphicx} (which shrinks it where it is too wide).",
        r"\begin{table*}[t]",
        r"\centering",
        rf"\caption{{{_symbols(escaped(' '.join([f'{title}.', *caption(table)])))}}}",
        r"\setlength{\tabcolsep}{4pt}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'c' * count}}}",
        r"\toprule",
        *(line for spans in table.heads() for line in _head(spans)),
        r"\midrule",
        *(text for line in table.arms for text in _lines(line, table, width)),
    ]
    if table.references:
        lines += [r"\midrule", *(text for line in table.references for text in _lines(line, table, width))]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table*}", ""])


def _head(spans: list[tuple[str, int]]) -> list[str]:
    """A line of heads, and rules under those that span several columns."""
    shown = [_symbols(escaped(text)) for text, _ in spans]
    cells = [
        text if n == 1 else rf"\multicolumn{{{n}}}{{c}}{{{text}}}" for text, (_, n) in zip(shown, spans, strict=True)
    ]
    ends = list(accumulate((n for _, n in spans), initial=1))
    rules = [rf"\cmidrule(lr){{{end - n + 1}-{end}}}" for (_, n), end in zip(spans, ends[1:], strict=True) if n > 1]
    return [" & " + " & ".join(cells) + r" \\", *([" ".join(rules)] if rules else [])]


def _lines(line: Line, table: Table, width: int) -> list[str]:
    """A row, and below it what was published of it, if anything was."""
    pairs = list(zip(line.cells, table.columns, strict=True))
    cells = ["---" if cell is None else _score(cell, column) for cell, column in pairs]
    out = [rf"{escaped(line.name):<{width}} & {' & '.join(cells)} \\"]
    if line.has_published:
        below = [_published(cell, column) for cell, column in pairs]
        out.append(rf"\quad {PUBLISHED:<{width}} & {' & '.join(below)} \\")
    return out


def _published(cell: Cell | None, column: Column) -> str:
    text = published(cell, column)
    return rf"\footnotesize {escaped(text).replace('(-', '($-$')}" if text else ""


def _score(cell: Cell, column: Column) -> str:
    number = score(cell, column).replace(" ± ", r" \pm ")
    behind = "".join(_MARKS[mark] for mark in marks(cell))
    bold = rf"\mathbf{{{number}}}" if cell.best else number
    return f"${bold}^{{{behind}}}$" if behind else f"${bold}$"


def _symbols(text: str) -> str:
    for symbol, command in _SYMBOLS.items():
        text = text.replace(symbol, command)
    return text
