"""The rows of the tables, whatever they are written in: references, arms, the interaction, what is missing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pandas as pd

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.declaration import INTERACTION
from clpd_bench.analysis.series import FLOOR, MACRO_AVERAGE, Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.report.beside import Beside, set_beside
from clpd_bench.report.context import ReportContext
from clpd_bench.report.verdict import comparison_rows

Means = dict[tuple[str, str, str, str], Summary]
"""By kind, arm, benchmark and metric."""


@dataclass(frozen=True)
class ScoreRow:
    """A name, and on each series its mean (None where there is none), its test (None for references
    and the baseline) and what was published of it (None where nothing was)."""

    name: str
    means: list[Summary | None]
    tests: list[Comparison | None]
    published: list[Beside | None]


@dataclass(frozen=True)
class Rows:
    """Attributes:
    series: the primary result's, if it has outcomes, then the others; `items` their numbers of items.
    references, arms: in declared order, then whatever else has outcomes.
    interaction: None without a factorial.
    seeds: as many as there should be.
    missing: a sentence for each gap.
    not_shown: a sentence for each published number that stands beside none of ours.
    """

    series: list[Series]
    items: list[int]
    references: list[ScoreRow]
    arms: list[ScoreRow]
    interaction: ScoreRow | None
    seeds: int
    missing: list[str]
    not_shown: list[str]

    @property
    def compared(self) -> list[ScoreRow]:
        """The arms, then the interaction if there is one."""
        return [*self.arms, *([self.interaction] if self.interaction else [])]

    def references_on(self, place: int) -> list[ScoreRow]:
        """The references of a series; a floor only where it has a score."""
        return [row for row in self.references if row.means[place] is not None or not row.name.startswith(FLOOR)]

    def has_published(self, place: int) -> bool:
        """Whether there is a published number on a series."""
        return any(row.published[place] is not None for row in [*self.references, *self.arms])

    def part(self, places: list[int]) -> Rows:
        """The same rows on some of the series."""

        def cut(row: ScoreRow) -> ScoreRow:
            return ScoreRow(
                row.name,
                [row.means[i] for i in places],
                [row.tests[i] for i in places],
                [row.published[i] for i in places],
            )

        return replace(
            self,
            series=[self.series[i] for i in places],
            items=[self.items[i] for i in places],
            references=[cut(row) for row in self.references],
            arms=[cut(row) for row in self.arms],
            interaction=cut(self.interaction) if self.interaction else None,
        )


def table_rows(summary: pd.DataFrame, comparisons: pd.DataFrame, series: list[Series], context: ReportContext) -> Rows:
    """Joins what `summary` and `compare` return: the primary result's series first, then its benchmark's others,
    then those of `series` that are left, then averages over benchmarks."""
    found = [Summary(*row) for row in summary.itertuples(index=False)]
    means = {(row.kind, row.arm, row.benchmark, row.metric): row for row in found}
    tested = comparison_rows(comparisons)
    tests = {(row.arm, row.benchmark, row.metric): row for row in tested}
    items = {(row.benchmark, row.metric): row.items for row in tested}
    items |= {(row.benchmark, row.metric): row.items for row in found}
    metric = {one.name: one.metric for one in series}
    averages = dict.fromkeys(row.metric for row in tested if row.benchmark == MACRO_AVERAGE)
    names, alpha = [*context.arms, *context.references], context.declaration.alpha
    published, not_shown = set_beside(context.published, found, series, names, alpha)
    every = [*_primary_first(series, context), *(Series(MACRO_AVERAGE, metric[name], "", name) for name in averages)]

    def row(name: str, kind: str) -> ScoreRow:
        return ScoreRow(
            name,
            [means.get((kind, name, one.benchmark, one.name)) for one in every],
            [tests.get((name, one.benchmark, one.name)) if kind == "arm" else None for one in every],
            [published.get((name, one.benchmark, one.name)) for one in every],
        )

    references = [row(name, "reference") for name in _ordered(context.references, "reference", means)]
    arms = [row(name, "arm") for name in _ordered(context.arms, "arm", means)]
    return Rows(
        every,
        [items[one.benchmark, one.name] for one in every],
        references,
        arms,
        None if context.factorial is None else row(INTERACTION, "arm"),
        context.seeds,
        [*context.missing, *_gaps([*references, *arms], every)],
        not_shown,
    )


def split(rows: Rows, context: ReportContext) -> tuple[Rows, Rows]:
    """The primary result (no series where it has no outcomes), and all others."""
    places = range(len(rows.series))
    primary = [i for i in places if is_primary(rows.series[i], context)]
    return rows.part(primary), rows.part([i for i in places if i not in primary])


def _ordered(declared: list[str], kind: str, means: Means) -> list[str]:
    """The declared names, then whatever else has outcomes: nothing is left out in silence."""
    others = {arm for its_kind, arm, *_ in means if its_kind == kind} - set(declared)
    return declared + sorted(others)


def _gaps(rows: list[ScoreRow], series: list[Series]) -> list[str]:
    """A sentence for each name that has no outcomes on a series; a floor is there for accuracy alone."""
    return [
        f"{row.name} has no outcomes on {one}."
        for row in rows
        for mean, one in zip(row.means, series, strict=True)
        if mean is None and one.benchmark != MACRO_AVERAGE and not row.name.startswith(FLOOR)
    ]


def is_tested(test: Comparison | None) -> bool:
    """Whether there is a corrected p to show."""
    return test is not None and not math.isnan(test.p_adjusted)


def is_primary(series: Series, context: ReportContext) -> bool:
    declaration = context.declaration
    return (series.benchmark, series.name) == (declaration.primary_benchmark, declaration.primary_metric)


def primary_name(context: ReportContext) -> str:
    """`gsm8k exact_match`."""
    return f"{context.declaration.primary_benchmark} {context.declaration.primary_metric}"


def _primary_first(series: list[Series], context: ReportContext) -> list[Series]:
    benchmark = context.declaration.primary_benchmark
    return sorted(series, key=lambda one: (not is_primary(one, context), one.benchmark != benchmark))
