"""table.csv of several files: a line a cell, in the metrics' own units."""

from __future__ import annotations

import pandas as pd

from clpd_bench.analysis.compare import Comparison
from clpd_bench.analysis.items import REFERENCE
from clpd_bench.reporting.beside import Beside
from clpd_bench.reporting.several.table import Cell, Column, Line, Table, is_primary_column

COLUMNS = [
    *("student", "ablation", "kind", "arm", "benchmark", "metric", "primary", "seeds", "mean", "sd", "best"),
    *("baseline", "difference", "low", "high", "p", "p_adjusted", "significant", "standing"),
    *Beside._fields,
]
"""`ablation` with the point of its grid, where it has several; `low` and `high` the difference's unadjusted 95%
interval; `p_adjusted` within the file's family, and empty outside it."""


def several_csv(tables: list[Table]) -> str:
    """Empty fields are what a row does not have; a cell that is missing has no row."""
    rows = [
        _row(column, kind, line, cell)
        for table in tables
        for kind, lines in (("arm", table.arms), (REFERENCE, table.references))
        for line in lines
        for column, cell in zip(table.columns, line.cells, strict=True)
        if cell is not None
    ]
    return pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False, lineterminator="\n")


def _row(column: Column, kind: str, line: Line, cell: Cell) -> dict[str, object]:
    test = cell.test._asdict() if cell.test is not None else {}
    tested = {name: test[name] for name in COLUMNS if name in Comparison._fields and name in test}
    published = cell.published._asdict() if cell.published is not None else {}
    return {
        **tested,
        **published,
        "student": column.group.student,
        "ablation": column.group.part,
        "kind": kind,
        "arm": line.name,
        "benchmark": column.series.benchmark,
        "metric": column.series.name,
        "primary": is_primary_column(column),
        "seeds": cell.seeds,
        "mean": cell.mean,
        "sd": cell.sd,
        "best": cell.best,
        "significant": cell.significant,
        "standing": cell.standing,
    }
