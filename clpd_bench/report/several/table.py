"""The table of several comparisons: arms down the side, benchmarks of each student across."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from clpd_bench.analysis.series import MACRO_AVERAGE, METRICS, REFERENCE, Series
from clpd_bench.report.beside import difference_text, published_text
from clpd_bench.report.cells import REFERENCES, about
from clpd_bench.report.several.entries import Entry
from clpd_bench.report.several.groups import Group
from clpd_bench.report.verdict import CORRECTED
from clpd_bench.tables.rounding import UNITS, mean_and_sd
from clpd_bench.tables.table import Cell, Column, Row, Section, Span, Table

ARROWS = {"higher": "↑", "lower": "↓"}
PUBLISHED = "published"
PUBLISHED_EXPLAINED = (
    f"{PUBLISHED.capitalize()}: as its source has it, then ours less that and whether ours is compatible; by which "
    "test, and the source, is in each ablation's own report."
)
SIGNIFICANT, EXPLORATORY, MISSING = "*", "†", "—"


def split(found: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """What stands in the table of the primary results, and in that of the secondary ones: the primary metric on every
    benchmark that has it, a group's other metrics one after the other. What has no mean stands in neither."""
    primary, secondary = [], []
    for group in _groups(found):
        mine = [one for one in found if one.group is group and not math.isnan(one.mean)]
        metric = group.report.context.declaration.primary_metric
        names = list(dict.fromkeys(one.series.name for one in mine))
        primary += [one for one in mine if one.series.name == metric]
        secondary += [one for name in names if name != metric for one in mine if one.series.name == name]
    return primary, secondary


def table_of(found: Sequence[Entry], caption: str) -> Table:
    """Rows: whatever any group has, in the order in which it is met. Columns: a group's series."""
    columns = list(dict.fromkeys((one.group.part, one.series) for one in found))
    heads = {(one.group.part, one.series): one.group for one in found}
    cells = {(one.kind, one.name, one.group.part, one.series): _cell(one) for one in found}

    def rows(kind: str) -> list[Row]:
        declared = (
            row.name
            for group in _groups(found)
            for row in (group.report.rows.arms if kind == "arm" else group.report.rows.references)
        )
        lines = [(name, [cells.get((kind, name, *column)) for column in columns]) for name in dict.fromkeys(declared)]
        return [
            [Cell(name, remark=_remark(line)), *(cell or Cell(MISSING) for cell in line)]
            for name, line in lines
            if kind == "arm" or any(line)
        ]

    sections = [Section(rows("arm"))]
    if references := rows(REFERENCE):
        sections.append(Section(references, REFERENCES, "reference", soft=True))
    students = [heads[column].student for column in columns]
    parts = [part for part, _ in columns]
    spans = [_spans([(one, one) for one in students])]
    if len(set(students)) < len(set(parts)):
        spans.append(_spans([(one, one) for one in parts]))
    spans.append(_spans([(f"{part} {series.name}", _metric(series)) for part, series in columns]))
    titles = [Column(_benchmark(series), "center") for _, series in columns]
    return Table([Column("arm"), *titles], sections, spans, caption)


def _groups(found: Sequence[Entry]) -> list[Group]:
    return list({one.group.part: one.group for one in found}.values())


def _benchmark(series: Series) -> str:
    return "average" if series.benchmark == MACRO_AVERAGE else series.benchmark


def _metric(series: Series) -> str:
    """`exact_match (%) ↑`."""
    return f"{series.name} ({UNITS[series.metric].mean}) {ARROWS[METRICS[series.metric]]}"


def _spans(keyed: Sequence[tuple[str, str]]) -> list[Span]:
    """Over neighbours with one key."""
    several = [list(mine) for _, mine in groupby(keyed, key=lambda one: one[0])]
    return [Span(mine[0][1], len(mine)) for mine in several]


def _cell(one: Entry) -> Cell:
    """`46.3 ± 1.8`, `*` and `†`; below it `71.2 ± 0.3 (-0.8, compatible)`, as published and ours less that."""
    unit, remark = UNITS[one.series.metric], ""
    if beside := one.published:
        remark = f"{published_text(beside, unit)} ({difference_text(beside, unit)}, {beside.compatible})"
    is_exploratory = one.standing is not None and one.standing.word == "exploratory"
    mark = (SIGNIFICANT if one.is_significant else "") + (EXPLORATORY if is_exploratory else "")
    return Cell(mean_and_sd(one.mean, one.sd, unit), strong=one.best, mark=mark, remark=remark, number=True)


def _remark(line: Sequence[Cell | None]) -> str:
    return PUBLISHED if any(cell and cell.remark for cell in line) else ""


def caption(found: Sequence[Entry]) -> list[str]:
    """How to read it: sentences."""
    groups = _groups(found)
    return [
        "Mean ± standard deviation over seeds; ↑ higher is better, ↓ lower is better.",
        "Bold: the best mean of the arms in its column, which is no test.",
        f"{SIGNIFICANT}: differs significantly from the baseline of its column's file, in the test that this file "
        "declares, corrected within its family.",
        f"{EXPLORATORY}: compared with the baseline exploratorily; without it the comparison was declared before any "
        "look at it. How many looks there had been is in each ablation's own report.",
        "Below the line, models that no arm trained.",
        f"{MISSING}: not in that file, or not evaluated. An average is over the benchmarks beside it, unweighted.",
        *([PUBLISHED_EXPLAINED] if any(one.published for one in found) else []),
        *_files(groups),
        *(f"{group.part}: {sentence}" for group in groups for sentence in group.report.context.warnings),
    ]


def columns_explained(found: Sequence[Entry]) -> list[str]:
    """A sentence for each column: its unit and the number of its items."""
    columns = {(one.group.part, one.series): one for one in found}.values()
    return [
        f"{one.group.student}, {one.group.part}, {_benchmark(one.series)} {one.series.name}: "
        f"{about(one.series, one.items)}."
        for one in columns
    ]


def _files(groups: Sequence[Group]) -> list[str]:
    """Seeds, declaration and caveats of each file or point; those that have the same are told together."""
    parts_of: dict[str, list[str]] = {}
    for group in groups:
        context = group.report.context
        declaration = context.declaration
        text = (
            f"{context.seeds} seeds, baseline {declaration.baseline}, "
            f"family {', '.join(declaration.family) or 'none'}, "
            f"{CORRECTED[declaration.correction]} at {declaration.alpha:g}, on {declaration.generalise_to}"
            f"{''.join(f'; {one}' for one in context.caveats)}"
        )
        parts_of.setdefault(text, []).append(group.part)
    return [f"{', '.join(parts)}: {text}." for text, parts in parts_of.items()]
