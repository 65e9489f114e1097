"""Scores by arm: every seed, the mean and its interval; references as ticks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clpd_bench.analysis.series import Series
from clpd_bench.report.figures.style import (
    FAINT,
    RULE,
    SMALL,
    ArmStyle,
    arm_styles,
    axis_label,
    label_rows,
    new_figure,
    panel_title,
)
from clpd_bench.results.collect import mean_interval, seed_means
from clpd_bench.tables.rounding import UNITS

CAPTION = (
    "Open dots are seeds, the filled marker their mean and the bar its 95% t-interval; grey ticks with hairlines are "
    "models that no arm trained (an arrow: off the axis); read paired differences from the next figure, not from "
    "overlapping bars."
)
_OFF_SCALE = 3.0
"""References may widen an axis to this many times the arms' own span."""


def scores(items: pd.DataFrame, series: Sequence[Series], arms: Sequence[str], references: Sequence[str]) -> Figure:
    """One panel a series. Inside `styled`."""
    rows = len(arms) + len(references)
    figure = new_figure(sum([0.46 + 0.165 * rows] * len(series)) + 0.05)
    for axes, one in zip(np.ravel(figure.subplots(len(series), 1, squeeze=False)), series, strict=True):
        _panel(axes, items, one, arms, references)
    return figure


def _panel(axes: Axes, items: pd.DataFrame, series: Series, arms: Sequence[str], references: Sequence[str]) -> None:
    scale = UNITS[series.metric].scale
    means = seed_means(items, series)
    own: list[float] = []
    for row, (arm, style) in enumerate(arm_styles(arms).items()):
        values = means.get(("arm", arm), np.empty(0)) * scale
        own += _arm(axes, row, arm, style, values)
        if not len(values):
            axes.text(0.01, row, "missing", transform=axes.get_yaxis_transform(), size=SMALL, color=FAINT, va="center")
    _limits(axes, own, [float(v) * scale for name in references for v in means.get(("reference", name), ())])
    low, high = axes.get_xlim()
    for row, name in enumerate(references, start=len(arms)):
        for value in means.get(("reference", name), np.empty(0)) * scale:
            _reference(axes, row, len(arms), float(value), low, high, UNITS[series.metric].decimals)
    label_rows(axes, [*arms, *references])
    for label in axes.get_yticklabels()[len(arms) :]:
        label.set_color("#555555")
    if references:
        axes.axhline(len(arms) - 0.5, color=RULE, linewidth=0.5)
    axes.set_title(panel_title(series))
    axes.set_xlabel(axis_label(series))


def _arm(axes: Axes, row: int, arm: str, style: ArmStyle, values: np.ndarray) -> list[float]:
    """Draws an arm's row and returns what has to lie on the axis."""
    if not len(values):
        return []
    mean, low, high = mean_interval(values)
    axes.plot([low, high], [row - 0.17] * 2, color=style.color, linewidth=1.1, solid_capstyle="butt", zorder=3)
    (point,) = axes.plot([mean], [row - 0.17], style.marker, color=style.color, zorder=4, markeredgewidth=0)
    point.set_gid(f"arm:{arm}")
    dots = axes.scatter(
        values, [row + 0.2] * len(values), s=9, facecolors="none", edgecolors=style.color, linewidths=0.7, zorder=3
    )
    dots.set_gid(f"seeds:{arm}")
    return [low, high, *values.tolist()]


def _limits(axes: Axes, own: list[float], references: list[float]) -> None:
    """All of the arms, and those references that do not squeeze them."""
    if not own:
        own = references or [0.0]
    low, high = min(own), max(own)
    span = (high - low) or abs(high) or 1.0
    room = (_OFF_SCALE - 1) * span
    inside = [value for value in references if low - room <= value <= high + room]
    low, high = min([low, *inside]), max([high, *inside])
    axes.set_xlim(low - 0.04 * (high - low or span), high + 0.04 * (high - low or span))


def _reference(axes: Axes, row: int, arms: int, value: float, low: float, high: float, decimals: int) -> None:
    if low <= value <= high:
        axes.add_line(Line2D([value, value], [-0.6, row], color=RULE, linewidth=0.5, zorder=0))
        axes.plot([value], [row], "|", color="#555555", markersize=6, markeredgewidth=1.2, zorder=2)
        return
    right = value > high
    text = f"{value:.{decimals}f} →" if right else f"← {value:.{decimals}f}"
    x = 0.995 if right else 0.005
    drawn = axes.text(x, row, text, transform=axes.get_yaxis_transform(), size=SMALL, color="#555555", va="center")
    drawn.set_horizontalalignment("right" if right else "left")
