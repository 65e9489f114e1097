"""The table: arms down the side, benchmarks of each student across."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.series import MACRO_AVERAGE, METRICS, REFERENCE, Series
from clpd_bench.report.beside import Beside
from clpd_bench.report.rows import ScoreRow, is_primary, is_tested
from clpd_bench.report.several.groups import Group
from clpd_bench.settings.parts.metrics import lower_is_better
from clpd_bench.tables.rounding import UNITS

ARROWS = {"higher": "↑", "lower": "↓"}


@dataclass(frozen=True)
class SeriesColumn:
    """A series of a group, or the mean over its benchmarks.

    Attributes:
        place: of the series in the group's rows.
    """

    group: Group
    series: Series
    place: int

    @property
    def benchmark(self) -> str:
        return "average" if self.series.benchmark == MACRO_AVERAGE else self.series.benchmark

    @property
    def metric(self) -> str:
        """`exact_match (%) ↑`."""
        unit, arrow = UNITS[self.series.metric].mean, ARROWS[METRICS[self.series.metric]]
        return f"{self.series.name} ({unit}) {arrow}"

    @property
    def alpha(self) -> float:
        return self.group.report.context.declaration.alpha


@dataclass(frozen=True)
class Score:
    """What a row has in a column, in the metric's own unit.

    Attributes:
        sd: over seeds; nan of a single one.
        test: against the baseline of the column's file; None of the baseline itself and of references.
        published: what was published of it.
        best: the best mean of the arms in the column, or as good as it; False where none is better than another.
    """

    mean: float
    sd: float
    seeds: int
    test: Comparison | None
    significant: bool
    standing: str
    published: Beside | None
    best: bool


@dataclass(frozen=True)
class Line:
    """A name, and what it has in each column, None where it is missing."""

    name: str
    cells: list[Score | None]

    @property
    def has_published(self) -> bool:
        return any(cell is not None and cell.published is not None for cell in self.cells)


@dataclass(frozen=True)
class SeveralTable:
    columns: list[SeriesColumn]
    arms: list[Line]
    references: list[Line]

    @property
    def groups(self) -> list[Group]:
        """Those that have columns, once each."""
        return list({column.group.part: column.group for column in self.columns}.values())

    def heads(self) -> list[list[tuple[str, int]]]:
        """Lines of the head, each (text, columns that it spans): students; files or points, where two of one student
        stand side by side; metrics; benchmarks."""
        lines = [_spans((column.group.student, column.group.student) for column in self.columns)]
        if self.has_parts:
            lines.append(_spans((column.group.part, column.group.part) for column in self.columns))
        lines.append(_spans((f"{column.group.part} {column.series.name}", column.metric) for column in self.columns))
        return [*lines, [(column.benchmark, 1) for column in self.columns]]

    @property
    def has_published(self) -> bool:
        return any(line.has_published for line in [*self.arms, *self.references])

    @property
    def has_parts(self) -> bool:
        """Whether a student alone does not say which file or point a column is of."""
        students = [group.student for group in self.groups]
        return len(set(students)) < len(students)


def table_of(groups: Sequence[Group], *, secondary: bool) -> SeveralTable:
    """Columns: of each group, the primary metric on every benchmark that has it (secondary: the other metrics, one
    after the other), the primary result's benchmark first, and last their average. Rows: whatever any group has, in
    the order in which it is met."""
    columns = [column for group in groups for column in _columns(group, secondary)]
    mine = list({column.group.part: column.group for column in columns}.values())
    rows = [[(group, row) for row in group.report.rows.arms] for group in mine]
    references = [[(group, row) for row in group.report.rows.references] for group in mine]
    best = [_best(column) for column in columns]
    return SeveralTable(columns, _lines(rows, "arm", columns, best), _lines(references, REFERENCE, columns, best))


def _columns(group: Group, secondary: bool) -> list[SeriesColumn]:
    primary = group.report.context.declaration.primary_metric
    every = [SeriesColumn(group, series, place) for place, series in enumerate(group.report.rows.series)]
    mine = [column for column in every if (column.series.name == primary) is not secondary]
    metrics = list(dict.fromkeys(column.series.name for column in mine))
    return sorted(mine, key=lambda column: metrics.index(column.series.name))


def is_primary_column(column: SeriesColumn) -> bool:
    return is_primary(column.series, column.group.report.context)


def by_seed(column: SeriesColumn, kind: str, name: str) -> dict[int, float]:
    """{seed: mean over items}; of an average, of the seeds that all of its benchmarks have."""
    scores = column.group.report.scores
    if column.series.benchmark != MACRO_AVERAGE:
        return scores[column.series].get((kind, name), {})
    several = [scores[one].get((kind, name), {}) for one in scores if one.name == column.series.name]
    seeds = sorted(set.intersection(*(set(one) for one in several)))
    return {seed: float(np.mean([one[seed] for one in several])) for seed in seeds}


def _lines(
    rows: Iterable[list[tuple[Group, ScoreRow]]], kind: str, columns: Sequence[SeriesColumn], best: Sequence[float]
) -> list[Line]:
    found = {(group.part, row.name): row for several in rows for group, row in several}
    names = dict.fromkeys(name for _, name in found)
    lines = [
        Line(
            name,
            [
                _cell(column, kind, found[column.group.part, name], bar) if (column.group.part, name) in found else None
                for column, bar in zip(columns, best, strict=True)
            ],
        )
        for name in names
    ]
    return [line for line in lines if any(line.cells) or kind == "arm"]


def _cell(column: SeriesColumn, kind: str, row: ScoreRow, best: float) -> Score | None:
    values = np.array([*by_seed(column, kind, row.name).values()])
    if not len(values):
        return None
    mean = float(values.mean())
    sd = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    test = row.tests[column.place]
    significant = test is not None and is_tested(test) and test.p_adjusted <= column.alpha
    standing = column.group.report.context.standings.of(test).word if test is not None else ""
    published = row.published[column.place]
    return Score(mean, sd, len(values), test, significant, standing, published, kind == "arm" and mean == best)


def _best(column: SeriesColumn) -> float:
    """The best mean of the arms; nan, which nothing equals, where no arm is better than another."""
    scores = [by_seed(column, "arm", row.name) for row in column.group.report.rows.arms]
    means = [float(np.array([*one.values()]).mean()) for one in scores if one]
    if len(set(means)) < 2:
        return float("nan")
    return max(means) if not lower_is_better(column.series.metric) else min(means)


def _spans(keyed: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """(text, span) of neighbours with one key."""
    out: list[tuple[str, str, int]] = []
    for key, text in keyed:
        if out and out[-1][0] == key:
            out[-1] = (key, text, out[-1][2] + 1)
        else:
            out.append((key, text, 1))
    return [(text, span) for _, text, span in out]
