"""table.md: the result for a person to read."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clpd_bench.analysis.metrics import Series
from clpd_bench.reporting.cells import arm_cell, contrast_cell, header, reference_cell
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.rows import explanations, primary_name, table_rows
from clpd_bench.reporting.verdict import verdict


def table_markdown(
    summary: pd.DataFrame, comparisons: pd.DataFrame, series: list[Series], context: ReportContext
) -> str:
    """The text of table.md.

    Args:
        summary, comparisons: of the functions `summary` and `compare`.
        series: of `metric_series`, the columns.
        context: names, order and sentences.
    """
    rows = table_rows(summary, comparisons, series, context)
    references = [
        [row.name, *(reference_cell(mean, one) for mean, one in zip(row.means, series, strict=True))]
        for row in rows.references
    ]
    arms = [
        [
            row.name,
            *(
                arm_cell(mean, test, one, rows.seeds)
                for mean, test, one in zip(row.means, row.tests, series, strict=True)
            ),
        ]
        for row in rows.arms
    ]
    if rows.interaction is not None:
        tests = zip(rows.interaction.tests, series, strict=True)
        arms.append([rows.interaction.name, *(contrast_cell(test, one, rows.seeds) for test, one in tests if test)])

    headers = [header(one, items) for one, items in zip(series, rows.items, strict=True)]
    blocks = [
        f"# {context.title}",
        context.question,
        f"## Primary result: {primary_name(context)}",
        bullets(verdict(comparisons, series, context.declaration)),
        "## References",
        "Models that no arm trained, on the same items; no p-values.",
        markdown_table(["reference", *headers], references),
        "## Arms",
        markdown_table(["arm", *headers], arms),
        "## How to read this",
        bullets(explanations(context, rows.seeds) + context.notes),
        "## Missing",
        bullets(rows.missing) if rows.missing else "No cell is missing.",
    ]
    return "\n\n".join(blocks) + "\n"


def bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    lines = [[cell.replace("|", "\\|") for cell in row] for row in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
