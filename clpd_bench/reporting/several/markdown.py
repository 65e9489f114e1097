"""table.md and secondary.md of several files."""

from __future__ import annotations

from clpd_bench.reporting.explanations import SECONDARY
from clpd_bench.reporting.several.table import Line, Table
from clpd_bench.reporting.several.words import (
    MISSING,
    PUBLISHED,
    caption,
    columns_explained,
    marks,
    published,
    score,
)
from clpd_bench.reporting.table_markdown import bullets, markdown_table


def several_markdown(table: Table, title: str, missing: list[str], *, secondary: bool) -> str:
    """The text. Markdown has one line of heads, in which student, file and benchmark stand together."""
    heads = [
        f"{column.group.student} {column.group.part if table.has_parts else ''} {column.benchmark}".replace("  ", " ")
        + f": {column.metric}"
        for column in table.columns
    ]
    blocks = [f"# {title}: secondary results", SECONDARY] if secondary else [f"# {title}"]
    if table.columns:
        blocks.append(markdown_table(["arm", *heads], _rows(table, table.arms)))
    else:
        blocks.append("There are no outcomes on any primary result.")
    if table.references:
        blocks += [
            "Models that no arm trained, on the same items:",
            markdown_table(["reference", *heads], _rows(table, table.references)),
        ]
    blocks += ["## How to read this", bullets(_plain([*caption(table), *columns_explained(table)]))]
    blocks += ["## Missing", bullets(missing) if missing else "No cell is missing."]
    return "\n\n".join(blocks) + "\n"


def _rows(table: Table, lines: list[Line]) -> list[list[str]]:
    out = []
    for line in lines:
        cells = [line.name]
        for cell, column in zip(line.cells, table.columns, strict=True):
            text = MISSING if cell is None else score(cell, column)
            bold = cell is not None and cell.best
            cells.append((f"**{text}**" if bold else text) + (_plain([marks(cell)])[0] if cell else ""))
        out.append(cells)
        if line.has_published:
            pairs = zip(line.cells, table.columns, strict=True)
            out.append([PUBLISHED, *(published(cell, column) for cell, column in pairs)])
    return out


def _plain(sentences: list[str]) -> list[str]:
    """With stars as stars."""
    return [sentence.replace("*", "\\*") for sentence in sentences]
