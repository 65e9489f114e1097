"""The primary result in sentences that say what the statistics say, and how each test was made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.declaration import INTERACTION, Declaration
from clpd_bench.analysis.series import Series
from clpd_bench.results.standing import Standings
from clpd_bench.settings.parts.metrics import lower_is_better
from clpd_bench.tables.rounding import UNITS, Unit, decimals, difference, p_value


def made_header(series: Series, declaration: Declaration) -> list[str]:
    """The columns of `made_line`."""
    other = ["on new items: 95% interval", "p on new items"] if declaration.generalise_to == "these items" else []
    margin = [f"equivalence within ± {_margin(declaration, series.metric)}"] if declaration.margin else []
    return [
        "comparison",
        "sd of arm",
        "sd of baseline",
        "correlation of pairs",
        "d_z",
        "p, uncorrected",
        "Welch's p",
        *other,
        *margin,
        "test",
    ]


def made_line(test: Comparison, series: Series, declaration: Declaration) -> list[str]:
    """One comparison; `-` where a number is not defined."""
    unit = UNITS[series.metric]
    other: list[str] = []
    if declaration.generalise_to == "these items":
        other = ["-", "-"]
        if math.isfinite(test.two_way_low):
            shown = difference(test.difference, test.two_way_low, test.two_way_high, unit)
            other = [f"[{shown.low}, {shown.high}]", _p(test.two_way_p)]
    margin = [equivalence(test, series.metric, declaration) or "-"] if declaration.margin else []
    return [
        test.arm,
        _sd(test.sd_arm, unit),
        _sd(test.sd_baseline, unit),
        "-" if math.isnan(test.correlation) else f"{test.correlation:+.2f}",
        "-" if math.isnan(test.d_z) else f"{test.d_z:+.2f}",
        _p(test.p),
        _p(test.welch_p),
        *other,
        *margin,
        test.method,
    ]


def equivalence(test: Comparison, metric: str, declaration: Declaration) -> str:
    """What the test of equivalence says, without a full stop; empty where there was none."""
    if declaration.margin is None or math.isnan(test.equivalence_p):
        return ""
    equal = test.equivalence_p <= declaration.alpha
    finding = "Equivalent" if equal else "Not shown to be equivalent"
    return f"{finding} within ± {_margin(declaration, metric)} (TOST, {p_value(test.equivalence_p)})"


def _margin(declaration: Declaration, metric: str) -> str:
    assert declaration.margin is not None
    return f"{declaration.margin * UNITS[metric].scale:g} {UNITS[metric].difference}"


def _sd(value: float, unit: Unit) -> str:
    value *= unit.scale
    return "-" if math.isnan(value) else f"{value:.{decimals(value, unit.decimals)}f}"


def _p(p: float) -> str:
    return "-" if math.isnan(p) else p_value(p).removeprefix("p = ").removeprefix("p ")


NULL = "Null result"
NOT_EQUAL = (
    "No significant difference does not mean that there is none: the intervals below say which differences "
    "these seeds leave open."
)


def comparison_rows(comparisons: pd.DataFrame) -> list[Comparison]:
    """The rows of `compare`'s table."""
    return [Comparison(*row) for row in comparisons[list(Comparison._fields)].itertuples(index=False)]


CORRECTED = {"holm": "after Holm", "bonferroni": "after Bonferroni", "none": "uncorrected"}
CORRECTION = {"holm": "Holm", "bonferroni": "Bonferroni", "none": "none"}


def verdict(
    comparisons: pd.DataFrame,
    series: list[Series],
    declaration: Declaration,
    standings: Standings,
    caveats: Sequence[str] = (),
    biased: Mapping[str, str] = {},
) -> list[str]:
    """One sentence for each member of the family on the primary benchmark and metric.

    Args:
        caveats: clauses that stand in each of them.
        biased: {arm: one that stands in its own}.
    """
    found = _primary(series, declaration)
    if found is None:
        present = ", ".join(str(one) for one in series) or "nothing"
        return [f"No verdict: there are no outcomes on it. There are: {present}."]
    if not declaration.family:
        return ["No verdict: no test was declared (the family is empty)."]

    def caveat(arm: str) -> str:
        said = "; ".join([*caveats, *([biased[arm]] if arm in biased else [])])
        return f" {said[:1].upper()}{said[1:]}." if said else ""

    return [
        f"{_sentence(row, found.metric, declaration)}{caveat(row.arm)} {str(standings.of(row)).capitalize()}."
        for row in _tested(comparisons, declaration)
    ]


def headline(comparisons: pd.DataFrame, series: list[Series], declaration: Declaration) -> str:
    """The verdict without its numbers: findings, each with the arms that share it."""
    found = _primary(series, declaration)
    rows = _tested(comparisons, declaration)
    on = f"{declaration.primary_benchmark} {declaration.primary_metric}"
    if found is None or not rows:
        return f"No verdict on {on}."
    by_finding: dict[str, list[str]] = {}
    for row in rows:
        finding = "no verdict" if math.isnan(row.p_adjusted) else _finding(row, found.metric, declaration.alpha)
        by_finding.setdefault(finding, []).append(row.arm)
    text = "; ".join(
        finding if arms == [INTERACTION] and finding != "no verdict" else f"{_listed(arms)}: {finding}"
        for finding, arms in by_finding.items()
    )
    return f"{NULL} on {on}. {text}." if is_null(comparisons, declaration) else f"On {on}: {text}."


def is_null(comparisons: pd.DataFrame, declaration: Declaration) -> bool:
    """Whether the declared tests were made and none came out significant."""
    p = [row.p_adjusted for row in _tested(comparisons, declaration)]
    return bool(p) and all(value > declaration.alpha for value in p)


def some_not_significant(comparisons: pd.DataFrame, declaration: Declaration) -> bool:
    return any(row.p_adjusted > declaration.alpha for row in _tested(comparisons, declaration))


def _primary(series: list[Series], declaration: Declaration) -> Series | None:
    primary = (declaration.primary_benchmark, declaration.primary_metric)
    return next((one for one in series if (one.benchmark, one.name) == primary), None)


def _tested(comparisons: pd.DataFrame, declaration: Declaration) -> list[Comparison]:
    primary = (declaration.primary_benchmark, declaration.primary_metric)
    return [
        row
        for row in comparison_rows(comparisons)
        if (row.benchmark, row.metric) == primary and row.arm in declaration.family
    ]


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _sentence(row: Comparison, metric: str, declaration: Declaration) -> str:
    if math.isnan(row.difference):
        return f"{row.arm}: no verdict, {row.method} ({row.seeds} found)."
    unit = UNITS[metric]
    shown = difference(row.difference, row.low, row.high, unit)
    numbers = f"{shown.difference} {unit.difference}"
    if math.isnan(row.p_adjusted):
        return f"{row.arm}: no verdict: {numbers}, {row.seeds} seeds, {row.method}."
    numbers += (
        f", 95% interval {shown.low} to {shown.high} (unadjusted), {row.seeds} seeds, "
        f"{p_value(row.p_adjusted)} {CORRECTED[declaration.correction]}"
    )
    text = f"{row.arm}: {_finding(row, metric, declaration.alpha)} on {declaration.generalise_to}: {numbers}."
    equal = equivalence(row, metric, declaration)
    return f"{text} {equal}." if equal else text


def _finding(row: Comparison, metric: str, alpha: float) -> str:
    significant = row.p_adjusted <= alpha
    better = "better" if (row.difference > 0) != lower_is_better(metric) else "worse"
    if row.arm == INTERACTION:
        if not significant:
            return "no significant interaction"
        return f"the two curricula together do {better} than the sum of their separate effects"
    if not significant:
        return f"no significant difference from {row.baseline}"
    return f"{better} than {row.baseline}"
