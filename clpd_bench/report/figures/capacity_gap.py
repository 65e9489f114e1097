"""Students against their teachers: each teacher alone, and the progressive one beside."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from clpd_bench.analysis.series import METRICS
from clpd_bench.report.figures.style import FAINT, RULE, ArmStyle, arm_styles, new_figure, panel_title, shortened
from clpd_bench.results.capacity import Gap, GapPoint
from clpd_bench.tables.rounding import UNITS, Unit

CAPTION = (
    "The student's score against that of the teacher it had alone (grey line, weakest teacher to strongest), means "
    "over seeds with 95% t-intervals, side by side where arms share a teacher; teachers from weak to strong on ordered "
    "data stand at the strongest one's score. "
    "Horizontal lines: the student before distillation, and trained without a teacher."
)
TITLE = "Students against their teachers"
_APART = 6.0
"""Points between arms of one teacher."""
_BEFORE = ArmStyle(FAINT, "", (0, (1, 1.5)))


def capacity_gap(gaps: Mapping[str, Gap]) -> Figure:
    """One panel for each of `gaps` {what it is of, "" for the only one: its points}. Inside `styled`."""
    lines = max(len(gap.points) for gap in gaps.values())
    figure = new_figure(len(gaps) * (1.95 + 0.13 * lines))
    for axes, (name, gap) in zip(np.ravel(figure.subplots(len(gaps), 1, squeeze=False)), gaps.items(), strict=True):
        _panel(axes, gap)
        title = f"{panel_title(gap.series)}, {METRICS[gap.series.metric]} is better"
        axes.set_title(f"{shortened(name, 44)}\n{title}" if name else title)
    return figure


def _panel(axes: Axes, gap: Gap) -> None:
    unit, styles = UNITS[gap.series.metric], arm_styles(gap.arms)
    alone = gap.of("one teacher")
    axes.plot(
        [point.teacher_score * unit.scale for point in alone],
        [point.mean * unit.scale for point in alone],
        color=FAINT,
        linewidth=0.8,
        zorder=2,
    )
    handles = []
    for teacher in dict.fromkeys(point.teacher for point in gap.points if point.teacher):
        several = [point for point in gap.points if point.teacher == teacher]
        for place, point in enumerate(several):
            shift = _APART * (place - (len(several) - 1) / 2)
            handles.append(_point(axes, point, styles[point.arm], unit.scale, shift))
    axes.margins(x=0.08)  # room beside the last for arms that share its teacher
    low, high = axes.get_ylim()
    for point in gap.points:
        if not point.teacher:
            style = _BEFORE if point.role == "before" else styles[point.arm]
            handles.append(_level(axes, point, style, unit, (low, high)))
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.grid(color=RULE, linewidth=0.3)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"the teacher's own score ({unit.mean})")
    axes.set_ylabel(f"the student's ({unit.mean})")
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.45, -0.28), ncols=1, handlelength=2.4)


def _point(axes: Axes, point: GapPoint, style: ArmStyle, scale: float, shift: float) -> Line2D:
    """An arm with a teacher, `shift` points beside its place, and its line in the legend."""
    beside = ScaledTranslation(shift / 72, 0, axes.figure.dpi_scale_trans)
    drawn = axes.errorbar(
        [point.teacher_score * scale],
        [point.mean * scale],
        [[(point.mean - point.low) * scale], [(point.high - point.mean) * scale]],
        color=style.color,
        marker=style.marker,
        linestyle="none",
        elinewidth=1.0,
        markeredgewidth=0,
        markersize=5,
        zorder=4,
    )
    for artist in drawn.get_children():
        artist.set_transform(axes.transData + beside)
    drawn.lines[0].set_gid(f"arm:{point.arm}")
    taught = f"up to {point.teacher}" if point.role == "progressive" else f"{point.teacher} alone"
    label = f"{shortened(point.arm)}: {shortened(taught)}"
    return Line2D([], [], color=style.color, marker=style.marker, linestyle="none", markeredgewidth=0, label=label)


def _level(axes: Axes, point: GapPoint, style: ArmStyle, unit: Unit, limits: tuple[float, float]) -> Line2D:
    """A student without a teacher: a line across, and its line in the legend. One that would squeeze the others
    is told there alone."""
    (low, high), value = limits, point.mean * unit.scale
    room = high - low
    label = point.arm if point.role == "before" else f"{shortened(point.arm)}: no teacher"
    if low - room <= value <= high + room:
        line = axes.axhline(value, color=style.color, linestyle=style.line, linewidth=0.9, zorder=1)
        line.set_gid(f"arm:{point.arm}")
    else:
        label = f"{label}, off the axis at {value:.{unit.decimals}f}"
    return Line2D([], [], color=style.color, linestyle=style.line, linewidth=0.9, label=label)
