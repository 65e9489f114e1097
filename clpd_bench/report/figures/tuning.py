"""Validation score by tried value, a curve an arm."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from clpd_bench.grid.tuned import TunedArm, TunedPoint
from clpd_bench.report.figures.style import RULE, ArmStyle, arm_styles, new_figure, shortened
from clpd_bench.report.tuning.tables import unit
from clpd_bench.settings.parts.metrics import lower_is_better

CAPTION = (
    "Lines join the means over tuning seeds, which are the open dots; the filled marker is the value that the arm was "
    "given, and a cross at the upper border a trial in which a student diverged. A curve that is best at an end may be "
    "better beyond it."
)
_LOG_FROM = 8.0
"""The ratio of the largest to the smallest value from which they stand on a logarithmic axis."""


def is_curve(tuned: TunedPoint) -> bool:
    """Whether one setting was tuned, over several numbers."""
    spaces = list(tuned.tune.space.values())
    return len(spaces) == 1 and len(spaces[0]) > 1 and all(type(value) in (int, float) for value in spaces[0])


def tuning(tuned: TunedPoint) -> Figure:
    """Arms on common axes. Inside `styled`."""
    ((key, values),) = tuned.tune.space.items()
    figure = new_figure(2.3)
    axes = figure.subplots()
    for name, style in arm_styles(tuned.arms).items():
        _curve(axes, name, tuned.arms[name], key, unit(tuned.tune).scale, style)
    if min(values) > 0 and max(values) >= _LOG_FROM * min(values):
        axes.set_xscale("log")
    axes.set_xticks(values)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    better = "lower" if lower_is_better(tuned.tune.metric) else "higher"
    axes.set_xlabel(key)
    axes.set_ylabel(f"validation {tuned.tune.metric}\n({unit(tuned.tune).mean}, {better} is better)")
    axes.grid(axis="y", color=RULE, linewidth=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _curve(axes: Axes, name: str, arm: TunedArm, key: str, scale: float, style: ArmStyle) -> None:
    there = sorted((trial.values[key], trial.mean * scale) for trial in arm.trials if trial.mean is not None)
    (line,) = axes.plot(
        [value for value, _ in there],
        [mean for _, mean in there],
        color=style.color,
        linestyle=style.line,
        linewidth=style.width,
        label=shortened(name),
    )
    line.set_gid(f"arm:{name}")
    dots = [
        (trial.values[key], score * scale)
        for trial in arm.trials
        for score in trial.scores.values()
        if score is not None
    ]
    values, scores = zip(*dots, strict=True)
    axes.scatter(values, scores, s=7, facecolors="none", edgecolors=style.color, linewidths=0.5)
    axes.plot([arm.chosen[key]], [arm.mean * scale], color=style.color, marker=style.marker, linestyle="none")
    lost = [trial.values[key] for trial in arm.trials if trial.diverged]
    if lost:  # matplotlib makes room for a line without points, and much of it
        place = axes.get_xaxis_transform()
        axes.plot(lost, [1.0] * len(lost), color=style.color, marker="x", linestyle="none", transform=place)
