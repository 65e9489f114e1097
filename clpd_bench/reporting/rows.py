"""The rows of the table, whatever it is written in: references, arms, the interaction, what is missing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from clpd_bench.analysis.compare import Comparison
from clpd_bench.analysis.declaration import INTERACTION
from clpd_bench.analysis.metrics import Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.verdict import comparison_rows

Means = dict[tuple[str, str, str, str], Summary]
"""By kind, arm, benchmark and metric."""


@dataclass(frozen=True)
class Row:
    """A name, and on each series its mean (None where there is none) and its test (None for references
    and the baseline)."""

    name: str
    means: list[Summary | None]
    tests: list[Comparison | None]


@dataclass(frozen=True)
class Rows:
    """Attributes:
    series: the columns; `items` their numbers of items.
    references, arms: in declared order, then whatever else has outcomes.
    interaction: None without a factorial.
    seeds: the most that an arm has.
    missing: a sentence for each gap.
    """

    series: list[Series]
    items: list[int]
    references: list[Row]
    arms: list[Row]
    interaction: Row | None
    seeds: int
    missing: list[str]


def table_rows(summary: pd.DataFrame, comparisons: pd.DataFrame, series: list[Series], context: ReportContext) -> Rows:
    """Joins what `summary` and `compare` return, in the order of `series` and of `context`."""
    found = [Summary(*row) for row in summary.itertuples(index=False)]
    means = {(row.kind, row.arm, row.benchmark, row.metric): row for row in found}
    tests = {(row.arm, row.benchmark, row.metric): row for row in comparison_rows(comparisons)}
    items = {(row.benchmark, row.metric): row.items for row in found}
    seeds = max((row.seeds for row in found), default=0)

    def row(name: str, kind: str) -> Row:
        return Row(
            name,
            [means.get((kind, name, one.benchmark, one.name)) for one in series],
            [tests.get((name, one.benchmark, one.name)) if kind == "arm" else None for one in series],
        )

    references = [row(name, "reference") for name in _ordered(context.references, "reference", means)]
    arms = [row(name, "arm") for name in _ordered(context.arms, "arm", means)]
    return Rows(
        series,
        [items[one.benchmark, one.name] for one in series],
        references,
        arms,
        None if context.factorial is None else row(INTERACTION, "arm"),
        seeds,
        [*context.missing, *_gaps(references, series, 1), *_gaps(arms, series, seeds)],
    )


def _ordered(declared: list[str], kind: str, means: Means) -> list[str]:
    """The declared names, then whatever else has outcomes: nothing is left out in silence."""
    others = {arm for its_kind, arm, *_ in means if its_kind == kind} - set(declared)
    return declared + sorted(others)


def _gaps(rows: list[Row], series: list[Series], seeds: int) -> list[str]:
    """A sentence for each name that has no outcomes on a series, or at fewer than `seeds` seeds."""
    sentences = []
    for row in rows:
        for mean, one in zip(row.means, series, strict=True):
            if mean is None:
                sentences.append(f"{row.name} has no outcomes on {one}.")
            elif mean.seeds < seeds:
                sentences.append(f"{row.name} has {mean.seeds} of {seeds} seeds on {one}.")
    return sentences


def explanations(context: ReportContext, seeds: int) -> list[str]:
    """How to read the table."""
    declaration, factorial = context.declaration, context.factorial
    family = ", ".join(declaration.family) or "nothing was declared"
    sentences = [
        f"Baseline: {declaration.baseline}. Family: {family}. Correction: Holm within the family, "
        f"separately for each benchmark and metric, at alpha = {declaration.alpha:g}.",
        f"The primary result is {primary_name(context)}; everything else is secondary.",
        f"A cell: mean ± standard deviation over seeds ({seeds} unless it says otherwise) of the "
        "mean over items; then the difference to the baseline, arm - baseline, with its 95% interval, "
        "then p after Holm where the arm is in the family. A reference is one model and has no "
        "standard deviation.",
        "The test is a seed-paired t on these items: it claims nothing about other items.",
        "The 95% intervals are unadjusted: Holm corrects the p-values only.",
    ]
    if factorial is not None:
        sentences.append(
            f"The interaction is {factorial.clpd} - {factorial.data_ordering} - "
            f"{factorial.teacher_scheduling} + {factorial.standard}, on the scale of the metric "
            "itself (for accuracy: probabilities, not log-odds)."
        )
    return sentences


def primary_name(context: ReportContext) -> str:
    """`gsm8k exact_match`."""
    return f"{context.declaration.primary_benchmark} {context.declaration.primary_metric}"


def is_tested(test: Comparison | None) -> bool:
    """Whether there is an adjusted p to show."""
    return test is not None and not math.isnan(test.p_adjusted)


def primary_first(series: list[Series], context: ReportContext) -> list[Series]:
    """The primary result's series, then its benchmark's others, then the rest."""
    benchmark, metric = context.declaration.primary_benchmark, context.declaration.primary_metric
    return sorted(
        series, key=lambda one: ((one.benchmark, one.name) != (benchmark, metric), one.benchmark != benchmark)
    )
