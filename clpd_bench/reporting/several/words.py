"""What has to be said about a table of several files, whatever it is written in."""

from __future__ import annotations

from clpd_bench.reporting.beside import difference_text, published_text
from clpd_bench.reporting.cells import about
from clpd_bench.reporting.rounding import UNITS, mean_and_sd
from clpd_bench.reporting.several.table import Cell, Column, Table
from clpd_bench.reporting.verdict import CORRECTED

PUBLISHED = "published"
PUBLISHED_EXPLAINED = (
    f"{PUBLISHED.capitalize()}: as its source has it, then ours less that and whether ours is compatible; by which "
    "test, and the source, is in each ablation's own report."
)
SIGNIFICANT, EXPLORATORY, MISSING = "*", "†", "—"


def score(cell: Cell, column: Column) -> str:
    """`46.3 ± 1.8`."""
    return mean_and_sd(cell.mean, cell.sd, UNITS[column.series.metric])


def marks(cell: Cell) -> str:
    """`*`, `†`, both or neither."""
    exploratory = cell.standing == "exploratory"
    return (SIGNIFICANT if cell.significant else "") + (EXPLORATORY if exploratory else "")


def published(cell: Cell | None, column: Column) -> str:
    """`71.2 ± 0.3 (-0.8, compatible)`: as published, and ours less that; "" where nothing is."""
    if cell is None or cell.published is None:
        return ""
    unit = UNITS[column.series.metric]
    one = cell.published
    return f"{published_text(one, unit)} ({difference_text(one, unit)}, {one.compatible})"


def caption(table: Table) -> list[str]:
    """How to read it: sentences."""
    return [
        "Mean ± standard deviation over seeds; ↑ higher is better, ↓ lower is better.",
        "Bold: the best mean of the arms in its column, which is no test.",
        f"{SIGNIFICANT}: differs significantly from the baseline of its column's file, in the test that this file "
        "declares, corrected within its family.",
        f"{EXPLORATORY}: compared with the baseline exploratorily; without it the comparison was declared before any "
        "look at it. How many looks there had been is in each ablation's own report.",
        "Below the line, models that no arm trained.",
        f"{MISSING}: not in that file, or not evaluated. An average is over the benchmarks beside it, unweighted.",
        *([PUBLISHED_EXPLAINED] if table.has_published else []),
        *_files(table),
        *(f"{group.part}: {sentence}" for group in table.groups for sentence in group.report.context.warnings),
    ]


def columns_explained(table: Table) -> list[str]:
    """A sentence for each column: its unit and the number of its items."""
    return [
        f"{column.group.student}, {column.group.part}, {column.benchmark} {column.series.name}: "
        f"{about(column.series, column.group.report.rows.items[column.place])}."
        for column in table.columns
    ]


def _files(table: Table) -> list[str]:
    """Seeds, declaration and caveats of each file or point; those that have the same are told together."""
    told: dict[str, list[str]] = {}
    for group in table.groups:
        context = group.report.context
        declaration = context.declaration
        text = (
            f"{context.seeds} seeds, baseline {declaration.baseline}, "
            f"family {', '.join(declaration.family) or 'none'}, "
            f"{CORRECTED[declaration.correction]} at {declaration.alpha:g}, on {declaration.generalise_to}"
            f"{''.join(f'; {one}' for one in context.caveats)}"
        )
        told.setdefault(text, []).append(group.part)
    return [f"{', '.join(parts)}: {text}." for text, parts in told.items()]
