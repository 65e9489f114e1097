"""All figures of a report, as files and for the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from clpd_bench.analysis.declaration import Declaration
from clpd_bench.reporting.curves import Curves
from clpd_bench.reporting.figures import differences, difficulty, schedule, scores, training
from clpd_bench.reporting.figures.style import NothingToDraw, styled
from clpd_bench.reporting.rows import Rows
from clpd_bench.reporting.schedules import ArmSchedule

NAMES = ("scores", "differences", "difficulty", "training", "schedule")
FILES = tuple(f"figures/{name}.{suffix}" for name in NAMES for suffix in ("pdf", "png"))
DPI = 300


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
    declaration: Declaration,
    curves: Mapping[str, Curves],
    schedules: Mapping[str, ArmSchedule],
    teachers: Sequence[str],
) -> Figures:
    """Args:
    rows: names and series, in the order in which they are drawn.
    teachers: from the weakest to the strongest.
    """
    series, arms, references = rows.series, [row.name for row in rows.arms], [row.name for row in rows.references]
    plans: list[tuple[str, str, Callable[[], Figure], Callable[[], str]]] = [
        ("scores", "Scores", lambda: scores.scores(items, series, arms, references), lambda: scores.CAPTION),
        (
            "differences",
            f"Differences to {declaration.baseline}",
            lambda: differences.differences(comparisons, series, arms, declaration.family),
            lambda: differences.CAPTION,
        ),
        (
            "difficulty",
            "Scores by difficulty",
            lambda: difficulty.difficulty(items, series, arms),
            lambda: difficulty.CAPTION,
        ),
        ("training", "Training", lambda: training.training(curves), lambda: training.caption(curves)),
        (
            "schedule",
            "What each arm shows when, and who teaches",
            lambda: schedule.schedule(schedules, teachers),
            lambda: schedule.CAPTION,
        ),
    ]
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


def saved(figure: Figure) -> tuple[bytes, bytes, bytes]:
    """SVG, PDF, PNG; without the time, so that equal figures are equal bytes."""
    out = []
    for kind, metadata in (("svg", {"Date": None}), ("pdf", {"CreationDate": None}), ("png", {})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
        out.append(buffer.getvalue())
    return out[0], out[1], out[2]
