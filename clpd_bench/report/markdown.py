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
from clpd_bench.tables.markdown import markdown


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
    for one in series_tables(rows, context, secondary=secondary):
        heading, made = f"## {one.series} ({one.about})", "How the tests were made:"
        blocks += [heading, markdown(one.scores), made, markdown(one.tests)]
    return blocks


def _published(rows: Rows, context: ReportContext) -> list[str]:
    said = published_explained(rows, context)
    return ["## Published numbers", bullets(said)] if said else []


def bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
