"""The page's section on tuning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clpd_bench.reporting.figures.draw import TUNING, Drawn
from clpd_bench.reporting.tuning.tables import ChosenRow, chosen_rows, score_title
from clpd_bench.settings.tuned import TunedPoint


@dataclass(frozen=True)
class TuningSection:
    """Attributes:
    trials: what the columns of scores are called by.
    figures: one, or none where several settings were tuned at once.
    """

    score: str
    trials: list[str]
    rows: list[ChosenRow]
    figures: list[Drawn]


def tuning_section(tuned: TunedPoint | None, figures: Iterable[Drawn]) -> TuningSection | None:
    """None where nothing was tuned."""
    if tuned is None:
        return None
    rows = chosen_rows(tuned)
    names = [name for name, _ in rows[0].trials]
    return TuningSection(score_title(tuned.tune), names, rows, [one for one in figures if one.name == TUNING])
