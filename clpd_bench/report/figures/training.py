"""Training loss by arm, with stages and teachers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.report.figures.style import FAINT, RULE, SMALL, NothingToDraw, arm_styles, new_figure, shortened
from clpd_bench.results.curves import Curves
from clpd_bench.results.schedules import merged


def window(steps: int) -> int:
    """Steps that the running mean of a run goes over."""
    return max(1, steps // 50)


def caption(curves: Mapping[str, Curves]) -> str:
    most = max(window(len(loss)) for one in curves.values() for loss in one.by_seed.values())
    return (
        f"Training loss as a running mean over {most} steps, thin lines for seeds and a thick one for their mean, with "
        "the borders of the stages and who teaches between them: a jump at a border is new data or a new teacher, "
        "and losses of different kinds or against different teachers do not rank arms."
    )


def training(curves: Mapping[str, Curves]) -> Figure:
    """One panel an arm, on common axes. Inside `styled`.

    Raises:
        NothingToDraw: there is no curve.
    """
    if not curves:
        raise NothingToDraw("Training curves are not drawn: no student has left a training.json.")
    figure = new_figure(0.4 + 0.7 * len(curves))
    panels = np.ravel(figure.subplots(len(curves), 1, squeeze=False, sharex=True, sharey=True))
    styles = arm_styles(curves)
    lowest, highest, longest = math.inf, -math.inf, 1
    for axes, (arm, one) in zip(panels, curves.items(), strict=True):
        smooth = [running_mean(loss, window(len(loss))) for loss in one.by_seed.values()]
        steps = min(len(loss) for loss in smooth)  # where each of the seeds still ran
        mean = np.mean([loss[:steps] for loss in smooth], axis=0)
        style = styles[arm]
        for loss in smooth:
            axes.plot(np.arange(1, len(loss) + 1), loss, color=style.color, linewidth=0.35, alpha=0.6)
            lowest, highest = min(lowest, float(loss.min())), max(highest, float(loss.max()))
            longest = max(longest, len(loss))
        (line,) = axes.plot(np.arange(1, steps + 1), mean, color=style.color, linewidth=1.3)
        line.set_gid(f"arm:{arm}")
        axes.set_title(f"{shortened(arm)}   {one.loss}", pad=2)
    if lowest > 0 and highest > 30 * lowest:
        panels[0].set_yscale("log")
        panels[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panels[0].yaxis.set_minor_formatter(NullFormatter())
        panels[0].set_ylim(lowest * 0.85, highest * 2.4)  # room for names
    else:
        panels[0].yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
        panels[0].set_ylim(lowest - 0.05 * (highest - lowest), highest + 0.4 * (highest - lowest))
    panels[0].set_xlim(0, longest)
    for axes, one in zip(panels, curves.values(), strict=True):
        for span in one.stages[1:]:
            axes.axvline(span.first - 0.5, color=FAINT, linewidth=0.5, zorder=0)
        for span in merged(one.stages):
            share = (span.last - span.first + 1) / longest
            axes.text(
                (span.first + span.last) / 2,
                0.95,
                shortened(span.teachers, max(3, int(46 * share))),
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="top",
                size=SMALL,
            )
        axes.grid(axis="y", color=RULE, linewidth=0.3)
        axes.set_axisbelow(True)
    panels[-1].set_xlabel("optimizer step")
    figure.supylabel("training loss (nats a token)", size=7)
    return figure


def running_mean(values: FloatArray, over: int) -> FloatArray:
    """Shape as given: centred, over fewer values at the ends."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    low, high = np.maximum(place - (over - 1) // 2, 0), np.minimum(place + over // 2 + 1, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))
