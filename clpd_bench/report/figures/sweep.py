"""Score against the values of an axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.analysis.series import METRICS, Series
from clpd_bench.grid.points import value_text
from clpd_bench.report.figures.style import (
    RULE,
    ArmStyle,
    NothingToDraw,
    arm_styles,
    new_figure,
    panel_title,
    shortened,
)
from clpd_bench.results.collect import mean_interval
from clpd_bench.results.sweeps import MOST_PANELS, Panel, Sweep
from clpd_bench.tables.rounding import UNITS

_WIDE = 20
"""Positive values whose largest is this many times the smallest stand on a logarithmic axis."""


def sweep(of: Sweep, series: Series, arms: Sequence[str]) -> Figure:
    """Numbers: means over seeds joined, in their 95% t-band. Other values: means with bars, side by side. One panel
    for each combination of the other axes' values. Inside `styled`.

    Raises:
        NothingToDraw: fewer than two values have been evaluated, or there are too many panels.
    """
    if not of.panels:
        raise NothingToDraw(f"{of.key} is not drawn: fewer than two of its values have been evaluated.")
    if len(of.panels) > MOST_PANELS:
        raise NothingToDraw(
            f"{of.key} is not drawn: the other axes have {len(of.panels)} combinations of values, and a figure holds "
            f"{MOST_PANELS}. axes.csv has all of them; --set axes.<key>=[one value] makes a report of fewer."
        )
    styles = arm_styles(arms)
    figure = new_figure(0.3 + 1.65 * len(of.panels) + 0.14 * -(-len(arms) // 2))
    every = np.ravel(figure.subplots(len(of.panels), 1, squeeze=False, sharey=True))
    for axes, panel in zip(every, of.panels, strict=True):
        present = [arm for arm in arms if any(("arm", arm) in place.scores for place in panel.places)]
        for place, arm in enumerate(present):
            points = _intervals(panel, arm, UNITS[series.metric].scale)
            if of.is_numeric:
                _band(axes, panel, arm, styles[arm], points)
            else:
                shift = (place - (len(present) - 1) / 2) * min(0.11, 0.6 / len(present))
                _bars(axes, arm, styles[arm], points, shift)
        _axis(axes, panel, of.is_numeric)
        title = f"{panel_title(series)}, {METRICS[series.metric]} is better"
        axes.set_title(f"{title}\n{shortened(panel.fixed, 44)}" if panel.fixed else title)
        axes.grid(axis="y", color=RULE, linewidth=0.3)
        axes.set_axisbelow(True)
        axes.set_ylabel(UNITS[series.metric].mean)
    every[-1].set_xlabel(shortened(of.key, 50))
    handles = [
        Line2D([], [], color=style.color, marker=style.marker, linestyle=style.line if of.is_numeric else "none",
               linewidth=style.width * 0.9, markersize=3.2, markeredgewidth=0, label=shortened(arm))
        for arm, style in styles.items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=2.8, columnspacing=1.2)
    return figure


def _intervals(panel: Panel, arm: str, scale: float) -> FloatArray:
    """[place, (mean, low, high)], nan where the arm has no scores."""
    rows = []
    for place in panel.places:
        values = place.scores.get(("arm", arm), {})
        rows.append(mean_interval(np.array([*values.values()]) * scale) if values else (np.nan, np.nan, np.nan))
    return np.array(rows)


def _band(axes: Axes, panel: Panel, arm: str, style: ArmStyle, points: FloatArray) -> None:
    x = np.array([float(place.value) for place in panel.places])
    axes.fill_between(x, points[:, 1], points[:, 2], color=style.color, alpha=0.09, linewidth=0)
    for edge in (points[:, 1], points[:, 2]):
        axes.plot(x, edge, color=style.color, linewidth=0.4, linestyle=style.line)
    (line,) = axes.plot(
        x,
        points[:, 0],
        color=style.color,
        marker=style.marker,
        linestyle=style.line,
        linewidth=style.width * 0.9,
        markersize=3.2,
        markeredgewidth=0,
    )
    line.set_gid(f"arm:{arm}")


def _bars(axes: Axes, arm: str, style: ArmStyle, points: FloatArray, shift: float) -> None:
    reach = [points[:, 0] - points[:, 1], points[:, 2] - points[:, 0]]
    drawn = axes.errorbar(
        np.arange(len(points)) + shift,
        points[:, 0],
        reach,
        color=style.color,
        marker=style.marker,
        linestyle="none",
        elinewidth=0.8,
        markersize=3.6,
        markeredgewidth=0,
    )
    drawn.lines[0].set_gid(f"arm:{arm}")


def _axis(axes: Axes, panel: Panel, numeric: bool) -> None:
    """A tick at each value, with its name; of many numbers, those of the ends and the middle."""
    names = [value_text(place.value) for place in panel.places]
    if not numeric:
        axes.set_xticks(range(len(names)), [shortened(name, max(6, 48 // len(names))) for name in names])
        axes.set_xlim(-0.5, len(names) - 0.5)
        return
    values = [float(place.value) for place in panel.places]
    if values[0] > 0 and values[-1] >= _WIDE * values[0]:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    shown = values if len(values) <= 7 else [values[0], values[len(values) // 2], values[-1]]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
