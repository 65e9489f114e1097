"""table.md, the primary result for a person to read, and secondary.md, the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clpd_bench.report.cells import series_tables
from clpd_bench.report.context import ReportContext
from clpd_bench.report.explanations import (
    SECONDARY,
    all_tests,
    explanations,
    published_explained,
    standings_explained,
    tests_explained,
)
from clpd_bench.report.rows import Rows, primary_name, split
from clpd_bench.report.verdict import verdict


def table_markdown(comparisons: pd.DataFrame, rows: Rows, context: ReportContext) -> str:
    """The text of table.md.

    Args:
        comparisons: of `compare`.
        rows: on all series, of which the primary one is shown.
    """
    primary, _ = split(rows, context)
    blocks = [
        f"# {context.title}",
        context.question,
        *(f"**{sentence}**" for sentence in context.warnings),
        f"## Primary result: {primary_name(context)}",
        bullets(
            verdict(comparisons, rows.series, context.declaration, context.standings, context.clauses, context.biased)
        ),
        *_series_blocks(primary, context, secondary=False),
        "## How to read this",
        bullets(
            [
                *explanations(context),
                *standings_explained(all_tests(primary), context),
                *(tests_explained(context.declaration) if primary.series else []),
                *context.notes,
            ]
        ),
        *_published(rows, context),
        "## Missing",
        bullets(primary.missing) if primary.missing else "No cell is missing.",
    ]
    return "\n\n".join(blocks) + "\n"


def secondary_markdown(rows: Rows, context: ReportContext) -> str:
    """The text of secondary.md: all series but the primary one."""
    _, secondary = split(rows, context)
    blocks = [f"# {context.title}: secondary results", SECONDARY, *_series_blocks(secondary, context, secondary=True)]
    reasons = standings_explained(all_tests(secondary), context)
    blocks += ["## How to read this", bullets([*reasons, "The rest is said in table.md."])]
    return "\n\n".join(blocks) + "\n"


def _series_blocks(rows: Rows, context: ReportContext, *, secondary: bool) -> list[str]:
    """Of each series: its arms, its references, and how its tests were made."""
    blocks = []
    for table in series_tables(rows, context, secondary=secondary):
        blocks += [
            f"## {table.series} ({table.about})",
            markdown_table(["arm", *table.columns], table.arms),
            *(
                [
                    "Models that no arm trained, on the same items:",
                    markdown_table(["reference", table.columns[0], *table.published], table.references),
                ]
                if table.references
                else []
            ),
            "How the tests were made:",
            markdown_table(table.tests_columns, table.tests),
        ]
    return blocks


def _published(rows: Rows, context: ReportContext) -> list[str]:
    said = published_explained(rows, context)
    return ["## Published numbers", bullets(said)] if said else []


def bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    lines = [[cell.replace("|", "\\|") for cell in row] for row in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
