"""table.tex and secondary.tex of several files, for a paper."""

from __future__ import annotations

from clpd_bench.report.several.markdown import caption, rows_of
from clpd_bench.report.several.table import SeveralTable
from clpd_bench.tables.latex import latex
from clpd_bench.tables.table import Column, Section, Span, Table


def several_latex(table: SeveralTable, title: str) -> str:
    """The text: lines of heads for students, files, metrics and benchmarks."""
    columns = [Column(""), *(Column(column.benchmark, "center") for column in table.columns)]
    sections = [Section(rows_of(table, lines)) for lines in (table.arms, table.references) if lines]
    spans = [[Span(*one) for one in line] for line in table.heads()[:-1]]
    return latex(Table(columns, sections, spans, " ".join([f"{title}.", *caption(table)])), fit=True)
