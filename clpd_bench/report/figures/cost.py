"""Score against what a cell cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from clpd_bench.analysis.series import Series
from clpd_bench.report.figures.style import (
    RULE,
    NothingToDraw,
    arm_styles,
    axis_label,
    new_figure,
    panel_title,
    shortened,
)
from clpd_bench.results.collect import SeedScores, mean_interval
from clpd_bench.results.spent import ArmCost
from clpd_bench.tables.rounding import UNITS, power_of_ten

CAPTION = (
    "Mean score over seeds with its 95% t-interval against a cell's FLOPs, counted from dimensions and tokens read: "
    "filled, with all that it needs (teachers, targets, data, its evaluation) counted in full; hollow, as shared here, "
    "where a job that n cells need counts 1/n."
)


def cost(spent: Sequence[ArmCost], series: Series, scores: SeedScores, arms: Sequence[str]) -> Figure:
    """Inside `styled`.

    Raises:
        NothingToDraw: no arm has both a score and a cost.
    """
    drawn = [one for one in spent if one.alone.flops > 0 and ("arm", one.arm) in scores]
    if not drawn:
        raise NothingToDraw("Cost against score is not drawn: no manifest has FLOPs.")
    unit, styles = UNITS[series.metric], arm_styles(arms)
    figure = new_figure(2.1 + 0.14 * -(-len(drawn) // 2))
    axes = figure.subplots()
    for one in drawn:
        style = styles[one.arm]
        mean, low, high = (value * unit.scale for value in mean_interval(np.array([*scores["arm", one.arm].values()])))
        axes.plot([one.shared.flops, one.alone.flops], [mean, mean], color=style.color, linewidth=0.5, zorder=2)
        for flops, face in ((one.alone.flops, style.color), (one.shared.flops, "white")):
            axes.plot([flops, flops], [low, high], color=style.color, linewidth=0.9, zorder=2)
            (point,) = axes.plot([flops], [mean], style.marker, color=style.color, markerfacecolor=face, markersize=4.5)
            point.set(gid=f"arm:{one.arm}", zorder=3, markeredgewidth=0.8)
    _flops_axis(axes)
    axes.grid(color=RULE, linewidth=0.3)
    axes.set_axisbelow(True)
    axes.set_title(panel_title(series))
    axes.set_xlabel("FLOPs of a cell")
    axes.set_ylabel(axis_label(series))
    handles = [
        Line2D([], [], color=styles[one.arm].color, marker=styles[one.arm].marker, linestyle="none", markeredgewidth=0,
               label=shortened(one.arm))
        for one in drawn
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, columnspacing=1.2)
    return figure


def _flops_axis(axes: Axes) -> None:
    """Logarithmic, with at least one tick that has a number, and few enough of them."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    low, high = low / 1.3, high * 1.3
    axes.set_xlim(low, high)
    subs = (1.0, 2.0, 5.0) if high / low < 30 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value).replace(".0", "")))
    axes.xaxis.set_minor_formatter(NullFormatter())
