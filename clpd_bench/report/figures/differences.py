"""Differences to the baseline: a forest plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.declaration import INTERACTION
from clpd_bench.analysis.series import Series
from clpd_bench.report.figures.style import (
    FAINT,
    SMALL,
    ArmStyle,
    NothingToDraw,
    arm_styles,
    label_rows,
    new_figure,
    panel_title,
)
from clpd_bench.report.verdict import comparison_rows
from clpd_bench.settings.parts.metrics import lower_is_better
from clpd_bench.tables.rounding import UNITS

CAPTION = (
    "Seed-paired differences to the baseline with unadjusted 95% intervals: a bar across "
    "the zero line leaves open that there is no difference, and hollow markers stand outside the declared family."
)


def differences(
    comparisons: pd.DataFrame, series: Sequence[Series], arms: Sequence[str], family: Sequence[str]
) -> Figure:
    """One panel a series, in the order given. Inside `styled`.

    Args:
        arms: all arms in declared order, for rows and colours.

    Raises:
        NothingToDraw: no arm was compared.
    """
    rows = comparison_rows(comparisons)
    if not any(math.isfinite(row.difference) for row in rows):
        raise NothingToDraw("Differences are not drawn: no arm has two complete pairs of seeds with the baseline.")
    compared = {row.arm for row in rows}
    order = [arm for arm in (*arms, INTERACTION) if arm in compared]
    styles = {**arm_styles(arms), INTERACTION: ArmStyle("#000000", "*", "-")}
    figure = new_figure(sum([0.74 + 0.155 * len(order)] * len(series)))
    for axes, one in zip(np.ravel(figure.subplots(len(series), 1, squeeze=False)), series, strict=True):
        mine = {row.arm: row for row in rows if (row.benchmark, row.metric) == (one.benchmark, one.name)}
        _panel(axes, [mine[arm] for arm in order if arm in mine], one, styles, set(family))
    return figure


def _panel(axes: Axes, rows: list[Comparison], series: Series, styles: dict[str, ArmStyle], family: set[str]) -> None:
    unit = UNITS[series.metric]
    reach = 0.0
    for y, row in enumerate(rows):
        if math.isnan(row.difference):
            axes.text(0.02, y, "no test", transform=axes.get_yaxis_transform(), size=SMALL, color=FAINT, va="center")
            continue
        style = styles[row.arm]
        low, middle, high = (value * unit.scale for value in (row.low, row.difference, row.high))
        axes.plot([low, high], [y, y], color=style.color, linewidth=1.1, solid_capstyle="butt", zorder=3)
        face = style.color if row.arm in family else "white"
        size = 6 if style.marker == "*" else 4
        (point,) = axes.plot([middle], [y], style.marker, color=style.color, markerfacecolor=face, markersize=size)
        point.set(gid=f"arm:{row.arm}", zorder=4, markeredgewidth=0.8)
        reach = max(reach, abs(low), abs(high))
    # Symmetric, so that better and worse have equal room.
    axes.set_xlim(-1.08 * (reach or 1), 1.08 * (reach or 1))
    axes.axvline(0, color="#000000", linewidth=0.7, zorder=1)
    label_rows(axes, [row.arm for row in rows])
    sides = ("worse", "better") if not lower_is_better(series.metric) else ("better", "worse")
    axes.set_title(panel_title(series))
    axes.set_xlabel(f"difference ({unit.difference})\n← {sides[0]}          {sides[1]} →")
