"""table.tex and secondary.tex: the tables for a paper."""

from __future__ import annotations

import math

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.series import Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.report.beside import Beside, difference_text, published_text
from clpd_bench.report.cells import about
from clpd_bench.report.context import ReportContext
from clpd_bench.report.rows import Rows, ScoreRow, is_tested
from clpd_bench.report.verdict import CORRECTED
from clpd_bench.tables.latex import latex
from clpd_bench.tables.rounding import UNITS, difference, mean_and_sd, p_value
from clpd_bench.tables.table import Cell, Column, Section, Table

SCORES = [Column("score", "right"), Column("difference", "right"), Column("95% interval"), Column("p", "right")]
PUBLISHED_COLUMNS = [Column("published", "right"), Column("ours − published", "right"), Column("compatible")]
PUBLISHED = (
    " Published: as its source has it. Compatible with ours by Welch's t over seeds where a spread was published, else "
    "by the prediction interval of ours over seeds or, for one model, by its interval over items; -- where neither can "
    "be had."
)


def table_latex(rows: Rows, context: ReportContext) -> str:
    """The text: a block a series, so that it fits a page whatever their number."""
    published = any(rows.has_published(i) for i in range(len(rows.series)))
    sections = []
    for place, (one, items) in enumerate(zip(rows.series, rows.items, strict=True)):

        def line(row: ScoreRow, numbers: list[Cell], place: int = place, one: Series = one) -> list[Cell]:
            return [Cell(row.name), *numbers, *(_published(row.published[place], one) if published else [])]

        compared = [line(row, _numbers(row, place, one, context)) for row in rows.compared]
        sections.append(Section(compared, f"{one} ({about(one, items)})"))
        references = [line(row, [_score(row.means[place], one), *[Cell("")] * 3]) for row in rows.references_on(place)]
        if references:
            sections.append(Section(references, ruled=False))
    columns = [Column(""), *SCORES, *(PUBLISHED_COLUMNS if published else [])]
    return latex(Table(columns, sections, caption=f"{_caption(rows, context)}{PUBLISHED if published else ''}"))


def _caption(rows: Rows, context: ReportContext) -> str:
    declaration = context.declaration
    return (
        f"{context.title}. Score: mean ± standard deviation over seeds (at most {rows.seeds}). Difference to "
        f"{declaration.baseline}, paired by seed, with its unadjusted 95% interval and p "
        f"{CORRECTED[declaration.correction]} over {len(declaration.family)} declared comparisons, on "
        f"{declaration.generalise_to}. Primary: {declaration.primary_benchmark} {declaration.primary_metric}. A dagger "
        "marks exploratory comparisons; the others were declared before any look at them. "
        f"{_beside(rows, context)}{_divergences(context)}{' '.join([*context.warnings, ''])}"
        "Below each block, models that no arm trained."
    )


def _beside(rows: Rows, context: ReportContext) -> str:
    """What belongs beside p, with those that have it."""
    found: dict[str, dict[str, None]] = {}
    for row in rows.compared:
        for test in row.tests:
            if test is not None and (beside := context.standings.of(test).beside):
                found.setdefault(beside, {})[row.name] = None
    return "".join(f"{beside}: {', '.join(names)}. " for beside, names in found.items())


def _divergences(context: ReportContext) -> str:
    counts = {arm: sum(one.arm == arm for one in context.diverged) for arm in context.arms}
    listed = ", ".join(f"{count} of {arm}" for arm, count in counts.items() if count)
    sentences = [f"Students that diverged: {listed}."] if listed else []
    return "".join(
        f"{sentence} " for sentence in [*sentences, *(f"{arm}: {why}." for arm, why in context.biased.items())]
    )


def _score(mean: Summary | None, series: Series) -> Cell:
    return Cell("–") if mean is None else Cell(mean_and_sd(mean.mean, mean.sd, UNITS[series.metric]), number=True)


def _numbers(row: ScoreRow, place: int, series: Series, context: ReportContext) -> list[Cell]:
    """The cells of SCORES."""
    test = row.tests[place]
    score = Cell("") if test is not None and not test.baseline else _score(row.means[place], series)
    if test is None:
        return [score, Cell(""), Cell(""), Cell("")]
    if math.isnan(test.difference):
        return [score, Cell("–"), Cell(f"no test: {test.method}"), Cell("")]
    return [score, *_contrast(test, series, context)]


def _contrast(test: Comparison, series: Series, context: ReportContext) -> list[Cell]:
    rounded = difference(test.difference, test.low, test.high, UNITS[series.metric])
    mark = "†" if context.standings.of(test).word == "exploratory" else ""
    p = p_value(test.p_adjusted).removeprefix("p ").removeprefix("= ") if is_tested(test) else ""
    return [
        Cell(rounded.difference, mark=mark, number=True),
        Cell(f"[{rounded.low}, {rounded.high}]", number=True),
        Cell(p, number=True),
    ]


def _published(one: Beside | None, series: Series) -> list[Cell]:
    """The cells of PUBLISHED_COLUMNS."""
    if one is None:
        return [Cell(""), Cell(""), Cell("")]
    unit = UNITS[series.metric]
    word = {"compatible": "yes", "not compatible": "no", "not testable": "–"}[one.compatible]
    published, ours_less_that = published_text(one, unit), difference_text(one, unit)
    return [Cell(published, number=True), Cell(ours_less_that, number=True), Cell(word)]
