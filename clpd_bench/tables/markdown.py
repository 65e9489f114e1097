"""A table as Markdown: pipes, columns padded to one width."""

from __future__ import annotations

from collections.abc import Sequence

from clpd_bench.tables.table import Cell, Row, Section, Table


def markdown(table: Table) -> str:
    """The text, without caption. Cells are Markdown already. There is one line of heads, in which what spans a column
    stands before its own title.

    Each section is a table of its own, below its title; one with a title has no column in which it says nothing.
    """
    blocks = []
    for section in table.sections:
        blocks += [section.title] if section.title else []
        blocks.append(_pipes(table, section))
    return "\n\n".join(blocks)


def _pipes(table: Table, section: Section) -> str:
    rows = [line for row in section.rows for line in _lines(row)]
    over = [[one.text for one in spans for _ in range(one.columns)] for spans in table.spans]
    own = [column.title for column in table.columns[1:]]
    titles = [
        section.head or table.columns[0].title,
        *(", ".join(filter(None, of)) for of in zip(*over, own, strict=True)),
    ]
    lines = [[text.replace("|", "\\|") for text in line] for line in [titles, *rows]]
    if section.title:
        filled = [place for place in range(len(titles)) if any(row[place] for row in rows)]
        lines = [[line[place] for place in filled] for line in lines]
    widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(text.ljust(width) for text, width in zip(line, widths, strict=True))} |" for line in lines
    )


def _lines(row: Row) -> list[Sequence[str]]:
    """The row, and one of the remarks below it if it has any."""
    remarks = [cell.remark for cell in row]
    return [[_cell(cell) for cell in row], *([remarks] if any(remarks) else [])]


def _cell(cell: Cell) -> str:
    text = f"**{cell.text}**" if cell.strong else cell.text
    return text + cell.mark.replace("*", "\\*")
