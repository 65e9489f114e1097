"""What each arm shows when, and who teaches: the curriculum as it was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from clpd_bench.report.figures.style import SMALL, NothingToDraw, arm_styles, new_figure, shortened
from clpd_bench.results.schedules import NO_TEACHER, ArmSchedule, merged, token_shares

CAPTION = (
    "Share of tokens from each bucket of difficulty (light: easiest, dark: hardest) from the first step to the last, "
    "under a strip of who teaches (pale: weakest, full: strongest); level bands are shuffled data, and dashed lines "
    "the borders of the stages (first seed)."
)
WINDOWS = 36


def schedule(schedules: Mapping[str, ArmSchedule], teachers: Sequence[str]) -> Figure:
    """One panel an arm. Inside `styled`.

    Args:
        teachers: all there are, from the weakest to the strongest.

    Raises:
        NothingToDraw: no schedule is known.
    """
    if not schedules:
        raise NothingToDraw("Schedules are not drawn: the corpora are not in the store.")
    figure = new_figure(0.66 + 0.66 * len(schedules))
    panels = np.ravel(figure.subplots(len(schedules), 1, squeeze=False))
    styles, hues = arm_styles(schedules), _hues(teachers)
    buckets = max(len(one.bucket_numbers) for one in schedules.values())
    shades = [str(round(0.9 - 0.65 * j / max(buckets - 1, 1), 3)) for j in range(buckets)]
    for axes, (arm, one) in zip(panels, schedules.items(), strict=True):
        _buckets(axes, one, shades)
        _teachers(axes, one, hues)
        axes.set_title(shortened(arm), x=0.03, pad=14)
        (mark,) = axes.plot([0.01], [1.74], styles[arm].marker, color=styles[arm].color, transform=axes.transAxes)
        mark.set(gid=f"arm:{arm}", clip_on=False, markersize=4, markeredgewidth=0)
        axes.tick_params(labelbottom=axes is panels[-1])
    panels[-1].set_xlabel("optimizer step")
    figure.supylabel("share of tokens", size=7)
    names = ["easiest", *[str(j) for j in range(2, buckets)], "hardest"] if buckets > 1 else ["all"]
    patches = [Patch(facecolor=shade, edgecolor="#555555", linewidth=0.4) for shade in shades]
    figure.legend(
        patches, names, loc="outside lower center", ncols=min(buckets, 5), title="bucket of difficulty",
        title_fontsize=SMALL, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _buckets(axes: Axes, one: ArmSchedule, shades: list[str]) -> None:
    edges = _edges(one.schedule.steps)
    shares = token_shares(one, one.buckets[one.schedule.examples], one.bucket_numbers, edges)
    _stack(axes, edges, shares, shades)
    axes.set_xlim(0, one.schedule.steps)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 1], ["0", "1"])
    for span in one.spans[1:]:
        axes.axvline(span.first - 1, color="#000000", linewidth=0.5, linestyle=(0, (2, 2)))


def _teachers(axes: Axes, one: ArmSchedule, hues: dict[str, str]) -> None:
    """A strip over the panel as high as a line: who teaches, with names where they fit."""
    strip = axes.inset_axes((0, 1.07, 1, 0.36))
    strip.set(xlim=(0, one.schedule.steps), ylim=(0, 1), xticks=[], yticks=[])
    for side in strip.spines.values():
        side.set(visible=True, linewidth=0.4, color="#555555")
    numbers = sorted(one.teachers)
    edges = _edges(one.schedule.steps)
    _stack(
        strip, edges, token_shares(one, one.schedule.teacher, numbers, edges), [hues[one.teachers[n]] for n in numbers]
    )
    for span in merged(one.spans):
        share = (span.last - span.first + 1) / one.schedule.steps
        strip.text(
            (span.first - 1 + span.last) / 2, 0.48, shortened(span.teachers, max(3, int(46 * share))),
            size=SMALL, ha="center", va="center", color=_readable(hues.get(span.teachers, "#ffffff")),
        )  # fmt: skip


def _edges(steps: int) -> NDArray[np.int64]:
    return np.unique(np.round(np.linspace(0, steps, min(WINDOWS, steps) + 1)).astype(np.int64))


def _hues(teachers: Sequence[str]) -> dict[str, str]:
    """Weakest pale, strongest full: purple, which no standard arm has."""
    pale, full = np.array([0.93, 0.91, 0.97]), np.array([0.38, 0.25, 0.58])
    weights = np.linspace(0, 1, len(teachers)) if len(teachers) > 1 else np.zeros(len(teachers))
    rgb = [(pale + weight * (full - pale)) * 255 for weight in weights]
    hues = ["#" + "".join(f"{round(c):02x}" for c in color.tolist()) for color in rgb]
    return {**dict(zip(teachers, hues, strict=True)), NO_TEACHER: "#ffffff"}


def _readable(background: str) -> str:
    red, green, blue = (int(background[i : i + 2], 16) for i in (1, 3, 5))
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 130 else "white"


def _stack(axes: Axes, edges: NDArray[np.int64], share: NDArray[np.float64], colors: list[str]) -> None:
    bottom = np.zeros(share.shape[1])
    for row, color in zip(share, colors, strict=True):
        axes.stairs(bottom + row, edges, baseline=bottom, fill=True, facecolor=color, edgecolor="none", linewidth=0)
        bottom = bottom + row
