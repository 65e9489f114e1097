"""What is shown of one metric on one benchmark, whatever it is written in."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.analysis.metrics import Series
from clpd_bench.reporting.beside import COLUMNS, beside_cells
from clpd_bench.reporting.cells import about, cells, columns
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.rounding import UNITS
from clpd_bench.reporting.rows import Row, Rows
from clpd_bench.reporting.tests_made import made_header, made_line


@dataclass(frozen=True)
class SeriesTable:
    """Attributes:
    columns: behind the name; the first is the mean, the only one that references have, too, but for those of
        published numbers.
        published: the columns of published numbers, the last ones; [] where there are none.
    arms: name and cells, the interaction last.
    references: name and mean of models that no arm trained, and the cells of published numbers.
    tests: how each comparison was made, under `tests_columns`.
    """

    series: Series
    about: str
    columns: list[str]
    published: list[str]
    arms: list[list[str]]
    references: list[list[str]]
    tests_columns: list[str]
    tests: list[list[str]]


def series_tables(rows: Rows, context: ReportContext, *, secondary: bool) -> list[SeriesTable]:
    """One for each of the series of `rows`."""
    out = []
    for place, one in enumerate(rows.series):
        tests = [test for row in rows.compared if (test := row.tests[place]) is not None]
        published = COLUMNS if rows.has_published(place) else []

        out.append(
            SeriesTable(
                one,
                about(one, rows.items[place]),
                [*columns(context, secondary=secondary), *published],
                published,
                [
                    [
                        row.name,
                        *cells(row, place, rows, context, secondary=secondary),
                        *(_published(row, place, one) if published else []),
                    ]
                    for row in rows.compared
                ],
                [
                    [
                        row.name,
                        cells(row, place, rows, context, secondary=secondary)[0],
                        *(_published(row, place, one) if published else []),
                    ]
                    for row in rows.references_on(place)
                ],
                made_header(one, context.declaration),
                [made_line(test, one, context.declaration) for test in tests],
            )
        )
    return out


def _published(row: Row, place: int, series: Series) -> list[str]:
    return beside_cells(row.published[place], UNITS[series.metric])
