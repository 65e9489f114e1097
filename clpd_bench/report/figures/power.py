"""Power against the number of seeds, for a few true differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from clpd_bench.analysis.power import found
from clpd_bench.report import power_words as words
from clpd_bench.report.figures.style import FAINT, RULE, SMALL, new_figure, shortened

FEWEST, LEAST_REACH = 2, 16

Curve = list[tuple[int, float]]


def curves(power: Mapping[str, Any], level: str) -> dict[float, Curve]:
    """{d_z: [(seeds, power)]}, from 2 seeds to well beyond the declared ones."""
    alpha = power["alpha"] / (power["comparisons"] if level == "worst" else 1)
    reach = range(FEWEST, max(LEAST_REACH, round(1.5 * power["seeds"])) + 1)
    return {row["d_z"]: [(seeds, found(row["d_z"], seeds, alpha)) for seeds in reach] for row in power["effects"]}


def caption(power: Mapping[str, Any]) -> str:
    said = "Power of the paired t test against seeds, for true differences in sd of the paired difference"
    if power["comparisons"] == 1:
        return f"{said}."
    return f"{said}: thick lines as the {words.worst(power)} under Holm, thin ones alone."


def power_figure(power: Mapping[str, Any]) -> Figure:
    """Of a `power_of`. Inside `styled`."""
    figure = new_figure(2.5)
    axes = figure.subplots()
    strict = list(words.levels(power))[-1]
    drawn, lenient = curves(power, strict), curves(power, "alone")
    colors = mpl.colormaps["viridis_r"]
    for i, row in enumerate(power["effects"]):
        color = colors(0.25 + 0.7 * i / max(1, len(power["effects"]) - 1))
        if strict != "alone":
            axes.plot(*zip(*lenient[row["d_z"]], strict=True), color=color, linewidth=0.5)
        (line,) = axes.plot(*zip(*drawn[row["d_z"]], strict=True), ".-", color=color, linewidth=1.3, markersize=3)
        line.set_label(_label(row, power))
        line.set_gid(f"effect:{row['d_z']:g}")
    last = drawn[power["effects"][0]["d_z"]][-1][0]
    axes.axhline(power["power"], color=RULE, linewidth=0.7, zorder=0)
    axes.axvline(power["seeds"], color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)), zorder=0)
    axes.text(power["seeds"] + 0.15, 1.03, "declared", size=SMALL, color=FAINT)
    axes.set_xlim(FEWEST, last)
    axes.set_ylim(0, 1.1)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "20", "40", "60", "80", "100"])
    axes.set_xlabel("seeds")
    axes.set_ylabel("power, %")
    axes.set_title(shortened(f"{power['benchmark']} {power['metric']}", 40))
    handles, labels = axes.get_legend_handles_labels()
    title = f"true difference{_unit(power)}"
    if strict != "alone":
        handles = [Line2D([], [], color=FAINT, linewidth=0.5), Line2D([], [], color=FAINT, linewidth=1.3), *handles]
        labels = ["alone", words.worst(power), *labels]
    figure.legend(handles[::-1], labels[::-1], loc="outside right upper", title=title, title_fontsize=SMALL)
    return figure


def _label(row: Mapping[str, Any], power: Mapping[str, Any]) -> str:
    said = f"{row['d_z']:g} sd"
    return said if row["difference"] is None else f"{said} = {words.amount(row['difference'], power['metric'])}"


def _unit(power: Mapping[str, Any]) -> str:
    return "" if power["spread"] is None else f"\n({words.unit(power['metric'])})"
