"""A table for a terminal, without lines."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table as RichTable

from clpd_bench.tables.table import Table


def terminal(table: Table) -> RichTable:
    """What rich prints: the head only where a column has a title, any text with its letters."""
    shown = RichTable(box=None, pad_edge=False, show_header=any(column.title for column in table.columns))
    for column in table.columns:
        shown.add_column(escape(column.title), justify=column.align, no_wrap=not column.wraps)
    for row in table.rows:
        shown.add_row(*(escape(cell.text + cell.mark) for cell in row))
    return shown
