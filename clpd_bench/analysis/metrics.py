"""The metrics we know, and the metric series that an items table holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from clpd_bench.analysis.items import check_columns
from clpd_bench.errors import UserError
from clpd_bench.settings.metrics import BINARY, METRICS

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
