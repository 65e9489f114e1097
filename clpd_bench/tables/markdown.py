"""A table as Markdown: pipes, columns padded to one width."""

from __future__ import annotations

from clpd_bench.tables.table import Cell, Table


def markdown(table: Table) -> str:
    """The text, without spans and caption: Markdown has one line of heads. Cells are Markdown already."""
    lines = [[column.title for column in table.columns], *([_cell(cell) for cell in row] for row in table.rows)]
    lines = [[text.replace("|", "\\|") for text in line] for line in lines]
    widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(text.ljust(width) for text, width in zip(line, widths, strict=True))} |" for line in lines
    )


def _cell(cell: Cell) -> str:
    text = f"**{cell.text}**" if cell.strong else cell.text
    return text + cell.mark.replace("*", "\\*")
