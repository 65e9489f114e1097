"""How every figure looks: size, type, and one colour, marker and line for each arm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import LineStyleType

from clpd_bench.analysis.series import METRICS, Series
from clpd_bench.tables.rounding import UNITS

WIDTH = 3.3
"""Inches: a column of a two-column page."""

SMALL = 6.5
"""Points: the smallest type."""

FAINT = "#8a8a8a"
RULE = "#d0d0d0"

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same picture on every machine
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.formatter.useoffset": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.0,
    "lines.markersize": 4,
    "text.parse_math": False,  # a name may hold a dollar
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "clpd_bench",
}


class NothingToDraw(Exception):
    """What is missing for a figure, as a sentence."""


class ArmStyle(NamedTuple):
    """How an arm is drawn, everywhere."""

    color: str
    marker: str
    line: LineStyleType
    width: float = 1.0


# Okabe and Ito's colours; markers and lines tell arms apart in grey as well.
STANDARD = {
    "sft": ArmStyle("#000000", "X", (0, (1, 1.3))),
    "standard_kd": ArmStyle("#0072B2", "o", "-"),
    "data_ordering": ArmStyle("#E69F00", "^", (0, (5, 1.6))),
    "teacher_scheduling": ArmStyle("#009E73", "s", (0, (5, 1.3, 1, 1.3))),
    "clpd": ArmStyle("#D55E00", "D", "-", 1.7),
}
_COLORS = ("#56B4E9", "#CC79A7", "#882255")  # the last is Tol's: Okabe and Ito's yellow drowns on white
_MARKERS = ("v", "P", "<", ">", "p", "h", "8")
_LINES: tuple[LineStyleType, ...] = ((0, (3, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 1.5)), (0, (2, 2)))


def arm_styles(arms: Iterable[str]) -> dict[str, ArmStyle]:
    """The style of each arm: the five standard ones' is fixed, the others' follows their order."""
    names = list(dict.fromkeys(arms))
    others = [name for name in names if name not in STANDARD]
    free = {
        name: ArmStyle(_COLORS[i % len(_COLORS)], _MARKERS[i % len(_MARKERS)], _LINES[i % len(_LINES)])
        for i, name in enumerate(others)
    }
    return {name: STANDARD.get(name) or free[name] for name in names}


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib's settings for a figure, while it is made and while it is saved."""
    with mpl.rc_context(_RC):
        yield


def new_figure(height: float) -> Figure:
    """A figure of column width, laid out so that nothing overlaps. Inside `styled`."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def axis_label(series: Series) -> str:
    """`%, higher is better`."""
    return f"{UNITS[series.metric].mean}, {METRICS[series.metric]} is better"


def panel_title(series: Series) -> str:
    """`gsm8k exact_match`, short enough to stand over the narrowest panel."""
    return shortened(str(series), 30)


def shortened(text: str, most: int = 24) -> str:
    """At most `most` characters; what is taken out of the middle is an ellipsis."""
    if len(text) <= most:
        return text
    head = math.ceil((most - 1) / 2)
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def label_rows(axes: Axes, names: list[str]) -> None:
    """Names down the left side, the first on top, without tick marks; few enough ticks below."""
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.set_yticks(range(len(names)), [shortened(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
