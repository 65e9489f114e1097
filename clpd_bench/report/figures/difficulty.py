"""Scores by difficulty of the items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clpd_bench.analysis.series import BINARY, METRICS, Series
from clpd_bench.report.figures.style import NothingToDraw, arm_styles, new_figure, panel_title, shortened
from clpd_bench.results.collect import mean_interval, rows_of
from clpd_bench.tables.rounding import UNITS

CAPTION = (
    "Mean over seeds with its 95% t-interval (cut at the ends of the metric's range) on items of growing difficulty, "
    "n of them each; the arms stand side by side so that their bars can be told apart."
)
MOST_VALUES = 8
BINS = 5
METRIC_RANGES = {metric: (0.0, 1.0) if metric in BINARY else (0.0, np.inf) for metric in METRICS}


def difficulty(items: pd.DataFrame, series: Sequence[Series], arms: Sequence[str]) -> Figure:
    """One panel a series. Inside `styled`.

    Raises:
        NothingToDraw: all items are equally difficult, or none has a difficulty.
    """
    binned = [(one, _binned(rows_of(items, one))) for one in series]
    drawn = [(one, rows, labels) for one, (rows, labels) in binned if len(labels) > 1]
    if not drawn:
        raise NothingToDraw("Scores by difficulty are not drawn: the items have one difficulty, or none.")
    figure = new_figure(1.5 * len(drawn) + 0.15 * -(-len(arms) // 2) + 0.1)
    for axes, (one, rows, labels) in zip(np.ravel(figure.subplots(len(drawn), 1, squeeze=False)), drawn, strict=True):
        _panel(axes, rows, labels, one, arms)
    axes.set_xlabel("difficulty of the items")
    handles = [
        Line2D([], [], color=style.color, marker=style.marker, linestyle=style.line, linewidth=style.width * 0.9,
               markersize=3.2, markeredgewidth=0, label=shortened(arm))
        for arm, style in arm_styles(arms).items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=2.8, columnspacing=1.2)
    return figure


def _binned(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows of arms with a column `bin`, 0 = easiest, and a label for each bin."""
    rows = rows[(rows["kind"] == "arm") & rows["difficulty"].notna()]
    by_item = rows.groupby("item", observed=True)["difficulty"].first()
    values = np.sort(by_item.unique())
    if not len(values):
        return rows, []
    if len(values) <= MOST_VALUES:
        codes = pd.Series(np.searchsorted(values, by_item.to_numpy()), index=by_item.index)
        names = [f"{value:g}" for value in values]
    else:
        cuts = np.unique(np.quantile(by_item.to_numpy(), np.linspace(0, 1, BINS + 1)[1:-1]))
        codes = pd.Series(np.searchsorted(cuts, by_item.to_numpy(), side="left"), index=by_item.index)
        codes = pd.Series(np.unique(codes.to_numpy(), return_inverse=True)[1], index=by_item.index)  # no empty bin
        ranges = by_item.groupby(codes).agg(["min", "max"])
        names = [_range(low, high) for low, high in ranges.itertuples(index=False)]
    counts = codes.value_counts().sort_index().tolist()
    labels = [f"{name}\nn = {count}" for name, count in zip(names, counts, strict=True)]
    return rows.assign(bin=rows["item"].map(codes)), labels


def _range(low: float, high: float) -> str:
    return f"{low:.3g}" if low == high else f"{low:.3g}–{high:.3g}"


def _panel(axes: Axes, rows: pd.DataFrame, labels: list[str], series: Series, arms: Sequence[str]) -> None:
    scale = UNITS[series.metric].scale
    means = rows.groupby(["arm", "bin", "seed"], observed=True)["score"].mean()
    present = [arm for arm in arms if arm in means.index.get_level_values("arm")]
    styles = arm_styles(arms)
    for place, arm in enumerate(present):
        shift = (place - (len(present) - 1) / 2) * min(0.11, 0.6 / len(present))
        points = [mean_interval(means[arm, b].to_numpy() * scale) for b in range(len(labels))]
        middle = np.array([point[0] for point in points])
        errors = np.array([[m - low, high - m] for m, low, high in points]).T
        style = styles[arm]
        drawn = axes.errorbar(
            np.arange(len(labels)) + shift,
            middle,
            errors,
            color=style.color,
            marker=style.marker,
            linestyle=style.line,
            linewidth=style.width * 0.9,
            elinewidth=0.55,
            markersize=3.2,
            markeredgewidth=0,
        )
        drawn.lines[0].set_gid(f"arm:{arm}")
    axes.set_xticks(range(len(labels)), labels)
    axes.set_title(f"{panel_title(series)}: {METRICS[series.metric]} is better")
    axes.set_ylabel(UNITS[series.metric].mean)
    # No score lies outside its metric's range, but the interval of a few seeds may.
    low, high = axes.get_ylim()
    worst, best = METRIC_RANGES[series.metric]
    margin = 0.03 * (min(high, best * scale) - max(low, worst * scale))
    axes.set_ylim(max(low, worst * scale - margin), min(high, best * scale + margin))
