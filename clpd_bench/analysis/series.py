"""The items table that every analysis starts from, and the metric series in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from clpd_bench.errors import UserError
from clpd_bench.settings.parts.metrics import BINARY, METRICS

REFERENCE = "reference"
"""The kind of rows that belong to no arm: the student before distillation, the teachers. Their seed
is -1 where one model is shared by all seeds."""
FLOOR = "floor "
"""What the names of references begin with that are no models: rules that read no meaning."""

ITEM_COLUMNS = {
    "kind": "str",
    "arm": "str",
    "seed": "int64",
    "benchmark": "str",
    "metric": "str",
    "filter": "str",
    "item": "str",
    "score": "float64",
    "difficulty": "float64",
    "prompt_hash": "str",
    "target_hash": "str",
    "truncated": "bool",
}
"""The columns of an items table and their types: one row an outcome."""


def check_columns(items: pd.DataFrame) -> None:
    """Raise a UserError if one of ITEM_COLUMNS is absent."""
    for column in ITEM_COLUMNS:
        if column not in items.columns:
            raise UserError(f"the items have no column {column!r}", allowed=ITEM_COLUMNS)


__all__ = ["BINARY", "MACRO_AVERAGE", "METRICS", "Series", "metric_series", "named_series"]

MACRO_AVERAGE = "macro average"
"""Where a table has the names of benchmarks: the unweighted mean over all that have the metric."""


class Series(NamedTuple):
    """One metric on one benchmark. `name` is the metric as people read it."""

    benchmark: str
    metric: str
    filter: str
    name: str

    def __str__(self) -> str:
        return f"{self.benchmark} {self.name}"


def metric_series(items: pd.DataFrame) -> list[Series]:
    """The series in `items`, ordered by benchmark, metric and filter.

    A metric that has one filter in all of `items` goes by its own name, otherwise by
    `metric (filter)` on every benchmark, so that one name never means two things in one table.

    Raises:
        UserError: a missing column; a metric that is not in METRICS; a benchmark called MACRO_AVERAGE.
    """
    check_columns(items)
    present = items[["benchmark", "metric", "filter"]].drop_duplicates()
    return named_series(present.itertuples(index=False, name=None))


def named_series(present: Iterable[tuple[str, str, str]]) -> list[Series]:
    """`metric_series` of (benchmark, metric, filter), each there once."""
    found = sorted(present)
    filters: dict[str, set[str]] = {}
    for benchmark, metric, name in found:
        if metric not in METRICS:
            raise UserError("unknown metric", found=metric, allowed=METRICS)
        if benchmark == MACRO_AVERAGE:
            raise UserError(f"no benchmark may be called {MACRO_AVERAGE!r}: it is the mean over benchmarks")
        filters.setdefault(metric, set()).add(name)
    return [
        Series(benchmark, metric, name, metric if len(filters[metric]) == 1 else f"{metric} ({name})")
        for benchmark, metric, name in found
    ]
