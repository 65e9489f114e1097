"""A table as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from clpd_bench.tables.table import Cell, Column, Row, Section, Span, Table

_CLASS = {"left": "", "center": ' class="group"', "right": ' class="n"'}


def html(table: Table, colors: Mapping[str, str] = {}, id: str = "") -> Markup:
    """The element, with a box around it that scrolls; all text escaped.

    Args:
        colors: {name of a row: color of the dot before it}.
    """
    heads = [_spans(spans) for spans in table.spans]
    if any(column.title for column in table.columns):
        heads.append(Markup("").join(_head(column) for column in table.columns))
    lines = Markup("").join(Markup("<tr>{}</tr>\n").format(line) for line in heads)
    head = Markup("<thead>\n{}</thead>\n").format(lines) if heads else ""
    body = Markup("").join(_section(section, table.columns, colors) for section in table.sections)
    named = Markup(' id="{}"').format(id) if id else ""
    return Markup('<div class="wide"><table{}>\n{}{}</table></div>').format(named, head, body)


def _head(column: Column) -> Markup:
    return Markup("<th{}>{}</th>").format(Markup(_CLASS[column.align]), column.title)


def _spans(spans: Sequence[Span]) -> Markup:
    return Markup('<th class="group"></th>') + Markup("").join(
        Markup('<th class="group" colspan="{}">{}</th>').format(one.columns, one.text) for one in spans
    )


def _section(section: Section, columns: Sequence[Column], colors: Mapping[str, str]) -> Markup:
    title = Markup('<tr><td colspan="{}"><small>{}</small></td></tr>\n').format(len(columns), section.title)
    rows = Markup("").join(_row(row, columns, colors) for row in section.rows)
    soft = Markup(' class="soft"') if section.soft else ""
    return Markup("<tbody{}>\n{}{}</tbody>\n").format(soft, title if section.title else "", rows)


def _row(row: Row, columns: Sequence[Column], colors: Mapping[str, str]) -> Markup:
    first, *others = row
    color = colors.get(first.text)
    dot = Markup('<span class="swatch" style="background:{}"></span>').format(color) if color else ""
    cells = Markup("").join(
        Markup("<td{}>{}</td>").format(Markup(_CLASS[column.align]), _text(cell))
        for cell, column in zip(others, columns[1:], strict=True)
    )
    return Markup("<tr><th>{}{}</th>{}</tr>\n").format(dot, _text(first), cells)


def _text(cell: Cell) -> Markup:
    text = Markup("<b>{}</b>" if cell.strong else "{}").format(cell.text)
    mark = Markup("<sup>{}</sup>").format(cell.mark) if cell.mark else ""
    return text + mark + (Markup("<small>{}</small>").format(cell.remark) if cell.remark else "")
