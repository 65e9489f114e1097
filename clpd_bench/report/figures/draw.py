"""All figures of a report, as files and for the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from clpd_bench.analysis.series import MACRO_AVERAGE
from clpd_bench.grid.tuned import TunedPoint
from clpd_bench.report.context import ReportContext
from clpd_bench.report.figures import capacity_gap, cost, differences, difficulty, schedule, scores, training, tuning
from clpd_bench.report.figures.style import NothingToDraw, styled
from clpd_bench.report.rows import Rows, primary_name, split
from clpd_bench.results.capacity import Gap
from clpd_bench.results.collect import means_by_seed
from clpd_bench.results.curves import Curves
from clpd_bench.results.schedules import ArmSchedule
from clpd_bench.results.spent import ArmCost

SECONDARY = "secondary_"
"""What the names of figures begin with that are not about the primary result."""
_BY_SERIES = ("scores", "differences", "difficulty")
NAMES = (
    *(*_BY_SERIES, "capacity_gap", "cost", "training", "schedule"),
    *(f"{SECONDARY}{name}" for name in _BY_SERIES),
)
TUNING = "tuning"
"""Drawn where arms were tuned, and beside NAMES."""
FILES = tuple(f"figures/{name}.{suffix}" for name in (*NAMES, TUNING) for suffix in ("pdf", "png"))
DPI = 300
Planned = tuple[str, str, Callable[[], Figure], Callable[[], str]]
"""A name, a title, and what makes the figure and its caption."""


@dataclass(frozen=True)
class Drawn:
    """A figure for a page.

    Attributes:
        data_uri: the figure as SVG, in itself: no id or font of the page can touch it.
    """

    name: str
    title: str
    caption: str
    data_uri: str


@dataclass(frozen=True)
class Figures:
    """Attributes:
    drawn: in the order of NAMES.
    files: {relative name: content}, each figure as PDF and PNG.
    absent: a sentence for each figure that could not be drawn.
    """

    drawn: list[Drawn]
    files: dict[str, bytes]
    absent: list[str]


def draw(
    items: pd.DataFrame,
    comparisons: pd.DataFrame,
    rows: Rows,
    context: ReportContext,
    curves: Mapping[str, Curves],
    schedules: Mapping[str, ArmSchedule],
    teachers: Sequence[str],
    gap: Gap | None,
    spent: Sequence[ArmCost],
    tuned: TunedPoint | None = None,
) -> Figures:
    """Args:
    rows: names and series, in the order in which they are drawn.
    teachers: from the weakest to the strongest.
    gap: None where the ablation is not about what one teacher alone makes of a student.
    """
    primary, secondary = split(rows, context)
    plans: list[Planned] = [
        *_by_series(items, comparisons, primary, context, ""),
        *_gap(gap),
        *_cost(items, spent, primary),
        ("training", "Training", lambda: training.training(curves), lambda: training.caption(curves)),
        (
            "schedule",
            "What each arm shows when, and who teaches",
            lambda: schedule.schedule(schedules, teachers),
            lambda: schedule.CAPTION,
        ),
    ]
    if tuned is not None and tuning.is_curve(tuned):
        plans.append((TUNING, "What was tried", lambda: tuning.tuning(tuned), lambda: tuning.CAPTION))
    if secondary.series:
        plans += _by_series(items, comparisons, secondary, context, SECONDARY)
    out = Figures([], {}, [])
    for name, title, make, caption in plans:
        try:
            with styled():
                figure = make()
                svg, pdf, png = saved(figure)
        except NothingToDraw as reason:
            out.absent.append(str(reason))
            continue
        uri = "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
        out.drawn.append(Drawn(name, title, caption(), uri))
        out.files.update({f"figures/{name}.pdf": pdf, f"figures/{name}.png": png})
    return out


def _gap(gap: Gap | None) -> list[Planned]:
    if gap is None:
        return []
    return [
        ("capacity_gap", capacity_gap.TITLE, lambda: capacity_gap.capacity_gap({"": gap}), lambda: capacity_gap.CAPTION)
    ]


def _cost(items: pd.DataFrame, spent: Sequence[ArmCost], primary: Rows) -> list[Planned]:
    if not primary.series:
        return []
    series, arms = primary.series[0], [row.name for row in primary.arms]
    return [
        (
            "cost",
            "Score against cost",
            lambda: cost.cost(spent, series, means_by_seed(items, series), arms),
            lambda: cost.CAPTION,
        )
    ]


def _by_series(
    items: pd.DataFrame, comparisons: pd.DataFrame, rows: Rows, context: ReportContext, prefix: str
) -> list[Planned]:
    """The figures with a panel for each of the series of `rows`."""
    arms, references = [row.name for row in rows.arms], [row.name for row in rows.references if any(row.means)]
    single = [one for one in rows.series if one.benchmark != MACRO_AVERAGE]
    declaration = context.declaration

    def drawn(make: Callable[[], Figure]) -> Callable[[], Figure]:
        def check_first() -> Figure:
            if not rows.series:
                raise NothingToDraw(f"There are no outcomes to draw on the primary result, {primary_name(context)}.")
            return make()

        return check_first

    return [
        (
            f"{prefix}scores",
            "Scores",
            drawn(lambda: scores.scores(items, single, arms, references)),
            lambda: scores.CAPTION,
        ),
        (
            f"{prefix}differences",
            f"Differences to {declaration.baseline}",
            drawn(lambda: differences.differences(comparisons, rows.series, arms, declaration.family)),
            lambda: differences.CAPTION,
        ),
        (
            f"{prefix}difficulty",
            "Scores by difficulty",
            drawn(lambda: difficulty.difficulty(items, single, arms)),
            lambda: difficulty.CAPTION,
        ),
    ]


def saved(figure: Figure) -> tuple[bytes, bytes, bytes]:
    """SVG, PDF, PNG; without the time, so that equal figures are equal bytes."""
    out = []
    for kind, metadata in (("svg", {"Date": None}), ("pdf", {"CreationDate": None}), ("png", {})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
        out.append(buffer.getvalue())
    return out[0], out[1], out[2]
