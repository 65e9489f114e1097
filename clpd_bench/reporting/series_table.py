"""What is shown of one metric on one benchmark, whatever it is written in."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.analysis.metrics import Series
from clpd_bench.reporting.cells import about, cells, columns
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.rows import Rows
from clpd_bench.reporting.tests_made import made_header, made_line


@dataclass(frozen=True)
class SeriesTable:
    """Attributes:
    columns: behind the name; the first is the mean, the only one that references have.
    arms: name and cells, the interaction last.
    references: name and mean of models that no arm trained.
    tests: how each comparison was made, under `tests_columns`.
    """

    series: Series
    about: str
    columns: list[str]
    arms: list[list[str]]
    references: list[list[str]]
    tests_columns: list[str]
    tests: list[list[str]]


def series_tables(rows: Rows, context: ReportContext, *, secondary: bool) -> list[SeriesTable]:
    """One for each of the series of `rows`."""
    out = []
    for place, one in enumerate(rows.series):
        tests = [test for row in rows.compared if (test := row.tests[place]) is not None]
        out.append(
            SeriesTable(
                one,
                about(one, rows.items[place]),
                columns(context, secondary=secondary),
                [[row.name, *cells(row, place, rows, context, secondary=secondary)] for row in rows.compared],
                [
                    [row.name, cells(row, place, rows, context, secondary=secondary)[0]]
                    for row in rows.references_on(place)
                ],
                made_header(one, context.declaration),
                [made_line(test, one, context.declaration) for test in tests],
            )
        )
    return out
