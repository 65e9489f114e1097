"""The teachers' scores on validation items, as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clpd_bench.analysis.ladder import Scored
from clpd_bench.analysis.metrics import METRICS
from clpd_bench.reporting.rounding import UNITS, mean_and_sd


@dataclass(frozen=True)
class LadderTable:
    """Attributes:
    about: which score it is.
    rows: teacher and score, in the file's order.
    """

    about: str
    rows: list[tuple[str, str]]


def ladder_table(ladders: Sequence[Scored]) -> LadderTable | None:
    """Of a report's one ladder; None where there is none, or none of its teachers is evaluated."""
    for one in ladders:
        if one.scores:
            metric, unit = one.ladder.metric, UNITS[one.ladder.metric]
            about = f"{one.ladder.corpus} {metric}, {unit.mean}, {METRICS[metric]} is better"
            return LadderTable(
                about, [(name, mean_and_sd(score, float("nan"), unit)) for name, score in one.scores.items()]
            )
    return None
