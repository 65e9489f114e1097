"""The primary result in sentences that say what the statistics say."""

from __future__ import annotations

import math

import pandas as pd

from clpd_bench.analysis.compare import Comparison
from clpd_bench.analysis.declaration import INTERACTION, Declaration
from clpd_bench.analysis.metrics import METRICS, Series
from clpd_bench.reporting.rounding import UNITS, difference, p_value


def comparison_rows(comparisons: pd.DataFrame) -> list[Comparison]:
    """The rows of `compare`'s table."""
    return [Comparison(*row) for row in comparisons.itertuples(index=False)]


def verdict(comparisons: pd.DataFrame, series: list[Series], declaration: Declaration) -> list[str]:
    """One sentence for each member of the family on the primary benchmark and metric."""
    primary = (declaration.primary_benchmark, declaration.primary_metric)
    found = [one for one in series if (one.benchmark, one.name) == primary]
    if not found:
        present = ", ".join(str(one) for one in series) or "nothing"
        return [f"No verdict: there are no outcomes on it. There are: {present}."]
    if not declaration.family:
        return ["No verdict: no test was declared (the family is empty)."]
    return [
        _sentence(row, found[0].metric, declaration.alpha)
        for row in comparison_rows(comparisons)
        if (row.benchmark, row.metric) == primary and row.arm in declaration.family
    ]


def _sentence(row: Comparison, metric: str, alpha: float) -> str:
    if math.isnan(row.difference):
        return f"{row.arm}: no verdict, {row.method} ({row.seeds} found)."
    unit = UNITS[metric]
    shown = difference(row.difference, row.low, row.high, unit)
    numbers = f"{shown.difference} {unit.difference}"
    if math.isnan(row.p_adjusted):
        return f"{row.arm}: no verdict: {numbers}, {row.seeds} seeds, {row.method}."
    numbers += (
        f", 95% interval {shown.low} to {shown.high} (unadjusted), {row.seeds} seeds, "
        f"{p_value(row.p_adjusted)} after Holm"
    )
    return f"{row.arm}: {_finding(row, metric, alpha)}: {numbers}."


def _finding(row: Comparison, metric: str, alpha: float) -> str:
    significant = row.p_adjusted <= alpha
    better = "better" if (row.difference > 0) == (METRICS[metric] == "higher") else "worse"
    if row.arm == INTERACTION:
        if not significant:
            return "no significant interaction"
        return f"the two curricula together do {better} than the sum of their separate effects"
    if not significant:
        return f"no significant difference from {row.baseline}"
    return f"{better} than {row.baseline}"
