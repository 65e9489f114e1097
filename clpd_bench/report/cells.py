"""The tables about one series, one metric on one benchmark, whatever they are written in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.series import MACRO_AVERAGE, METRICS, Series
from clpd_bench.report.beside import COLUMNS, beside_cells
from clpd_bench.report.context import ReportContext
from clpd_bench.report.rows import Rows, ScoreRow, is_tested
from clpd_bench.report.verdict import CORRECTION, made_header, made_line
from clpd_bench.tables.rounding import UNITS, difference, mean_and_sd, p_value
from clpd_bench.tables.table import Column, Section, Table, rows_of, table


def about(series: Series, items: int) -> str:
    """`%, higher is better, 1319 items`."""
    which = "mean over benchmarks" if series.benchmark == MACRO_AVERAGE else f"{items} items"
    return f"{UNITS[series.metric].mean}, {METRICS[series.metric]} is better, {which}"


def columns(context: ReportContext, *, secondary: bool) -> list[str]:
    """The titles of `cells`."""
    correction = context.declaration.correction
    return [
        "mean ± sd",
        f"difference to {context.declaration.baseline}",
        "95% interval",
        "p" if correction == "none" else f"p after {CORRECTION[correction]}",
        *(["q"] if secondary else []),
        "seeds",
        "standing",
    ]


def cells(row: ScoreRow, place: int, rows: Rows, context: ReportContext, *, secondary: bool) -> list[str]:
    """One arm, the interaction or a reference, on the series at `place`."""
    series, mean, test = rows.series[place], row.means[place], row.tests[place]
    is_contrast = test is not None and not test.baseline
    scored = "" if is_contrast else "missing"
    if mean is not None:
        scored = mean_and_sd(mean.mean, mean.sd, UNITS[series.metric])
    found = mean.seeds if mean is not None else 0
    if test is not None:
        found = min(found, test.seeds) if mean is not None else test.seeds
    seeds = "" if mean is not None and mean.kind == "reference" else _seeds(row.name, found, rows.seeds, context)
    if test is None:
        return [scored, "", "", "", *([""] if secondary else []), seeds, ""]
    q = [_bare(test.q)] if secondary else []
    return [scored, *contrast(test, series), *q, seeds, str(context.standings.of(test))]


def contrast(test: Comparison, series: Series) -> list[str]:
    """Difference, interval and corrected p; the p only for a member of the family."""
    if math.isnan(test.difference):
        return [f"no test: {test.method}", "", ""]
    shown = difference(test.difference, test.low, test.high, UNITS[series.metric])
    p = "no p-value: the same at every seed" if math.isnan(test.p) else ""
    return [shown.difference, f"[{shown.low}, {shown.high}]", _bare(test.p_adjusted) if is_tested(test) else p]


def _bare(p: float) -> str:
    """`.032`, `< .001`."""
    return "" if math.isnan(p) else p_value(p).removeprefix("p = ").removeprefix("p ")


def _seeds(name: str, found: int, of: int, context: ReportContext) -> str:
    """`8`, `7 of 8`, `8, 1 diverged`, `7 of 8, 1 diverged, biased`."""
    text = str(found) if found == of else f"{found} of {of}"
    diverged = sum(one.arm == name for one in context.diverged)
    text = f"{text}, {diverged} diverged" if diverged else text
    return f"{text}, biased" if name in context.biased else text


@dataclass(frozen=True)
class SeriesTables:
    """Attributes:
    about: of `about`.
    scores: the arms, the interaction last, then the references, which have a mean and published numbers alone.
    tests: how each comparison was made.
    """

    series: Series
    about: str
    scores: Table
    tests: Table


REFERENCES = "Models that no arm trained, on the same items:"


def series_tables(rows: Rows, context: ReportContext, *, secondary: bool) -> list[SeriesTables]:
    """One for each of the series of `rows`."""
    return [_tables(rows, place, context, secondary=secondary) for place in range(len(rows.series))]


def _tables(rows: Rows, place: int, context: ReportContext, *, secondary: bool) -> SeriesTables:
    series, has_published = rows.series[place], rows.has_published(place)
    titles = columns(context, secondary=secondary)
    made = made_header(series, context.declaration)
    tests = [test for row in rows.compared if (test := row.tests[place]) is not None]

    def line(row: ScoreRow, *, is_reference: bool) -> list[str]:
        found = cells(row, place, rows, context, secondary=secondary)
        shown = [found[0], *[""] * (len(found) - 1)] if is_reference else found
        return [row.name, *shown, *(beside_cells(row.published[place], UNITS[series.metric]) if has_published else [])]

    arms = [line(row, is_reference=False) for row in rows.compared]
    references = [line(row, is_reference=True) for row in rows.references_on(place)]
    sections = [Section(rows_of(arms))]
    if references:
        sections.append(Section(rows_of(references), REFERENCES, "reference", soft=True))
    heads = [Column(title) for title in ["arm", *titles, *(COLUMNS if has_published else [])]]
    return SeriesTables(
        series,
        about(series, rows.items[place]),
        Table(heads, sections),
        table(made, [made_line(test, series, context.declaration) for test in tests]),
    )
