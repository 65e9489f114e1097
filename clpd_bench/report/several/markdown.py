"""table.md and secondary.md of several files, and what every medium says about their table."""

from __future__ import annotations

from clpd_bench.report.beside import difference_text, published_text
from clpd_bench.report.cells import about
from clpd_bench.report.explanations import SECONDARY
from clpd_bench.report.markdown import bullets
from clpd_bench.report.several.table import Line, Score, SeriesColumn, SeveralTable
from clpd_bench.report.verdict import CORRECTED
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.rounding import UNITS, mean_and_sd
from clpd_bench.tables.table import Cell
from clpd_bench.tables.table import table as plain_table

PUBLISHED = "published"
PUBLISHED_EXPLAINED = (
    f"{PUBLISHED.capitalize()}: as its source has it, then ours less that and whether ours is compatible; by which "
    "test, and the source, is in each ablation's own report."
)
SIGNIFICANT, EXPLORATORY, MISSING = "*", "†", "—"


def score(cell: Score, column: SeriesColumn) -> str:
    """`46.3 ± 1.8`."""
    return mean_and_sd(cell.mean, cell.sd, UNITS[column.series.metric])


def marks(cell: Score) -> str:
    """`*`, `†`, both or neither."""
    exploratory = cell.standing == "exploratory"
    return (SIGNIFICANT if cell.significant else "") + (EXPLORATORY if exploratory else "")


def published(cell: Score | None, column: SeriesColumn) -> str:
    """`71.2 ± 0.3 (-0.8, compatible)`: as published, and ours less that; "" where nothing is."""
    if cell is None or cell.published is None:
        return ""
    unit = UNITS[column.series.metric]
    one = cell.published
    return f"{published_text(one, unit)} ({difference_text(one, unit)}, {one.compatible})"


def caption(table: SeveralTable) -> list[str]:
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


def columns_explained(table: SeveralTable) -> list[str]:
    """A sentence for each column: its unit and the number of its items."""
    return [
        f"{column.group.student}, {column.group.part}, {column.benchmark} {column.series.name}: "
        f"{about(column.series, column.group.report.rows.items[column.place])}."
        for column in table.columns
    ]


def _files(table: SeveralTable) -> list[str]:
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


def several_markdown(table: SeveralTable, title: str, missing: list[str], *, secondary: bool) -> str:
    """The text. Markdown has one line of heads, in which student, file and benchmark stand together."""
    heads = [
        f"{column.group.student} {column.group.part if table.has_parts else ''} {column.benchmark}".replace("  ", " ")
        + f": {column.metric}"
        for column in table.columns
    ]
    blocks = [f"# {title}: secondary results", SECONDARY] if secondary else [f"# {title}"]
    if table.columns:
        blocks.append(markdown(plain_table(["arm", *heads], rows_of(table, table.arms))))
    else:
        blocks.append("There are no outcomes on any primary result.")
    if table.references:
        blocks += [
            "Models that no arm trained, on the same items:",
            markdown(plain_table(["reference", *heads], rows_of(table, table.references))),
        ]
    blocks += ["## How to read this", bullets(_plain([*caption(table), *columns_explained(table)]))]
    blocks += ["## Missing", bullets(missing) if missing else "No cell is missing."]
    return "\n\n".join(blocks) + "\n"


def rows_of(table: SeveralTable, lines: list[Line]) -> list[list[Cell]]:
    """Each line's cells, and below it what was published of it, if anything was."""
    out = []
    for line in lines:
        pairs = list(zip(line.cells, table.columns, strict=True))
        out.append([Cell(line.name), *(_cell(*pair) for pair in pairs)])
        if line.has_published:
            out.append([Cell(text, note=True) for text in (PUBLISHED, *(published(*pair) for pair in pairs))])
    return out


def _cell(one: Score | None, column: SeriesColumn) -> Cell:
    if one is None:
        return Cell(MISSING)
    return Cell(score(one, column), strong=one.best, mark=marks(one), number=True)


def _plain(sentences: list[str]) -> list[str]:
    """With stars as stars."""
    return [sentence.replace("*", "\\*") for sentence in sentences]
