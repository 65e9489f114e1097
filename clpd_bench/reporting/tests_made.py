"""How each test was made: what stands behind the numbers of the table, for whoever wants to check them."""

from __future__ import annotations

import math

from clpd_bench.analysis.compare import Comparison
from clpd_bench.analysis.declaration import Declaration
from clpd_bench.analysis.metrics import Series
from clpd_bench.reporting.rounding import UNITS, Unit, decimals, difference, p_value


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
