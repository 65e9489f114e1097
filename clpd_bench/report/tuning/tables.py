"""What was chosen, and every trial, as tables for a terminal and for the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich.console import Console

from clpd_bench.grid.tuned import Tuned, TunedPoint
from clpd_bench.report.tuning.text import values_text
from clpd_bench.settings.parts.metrics import ValidationMetric
from clpd_bench.settings.parts.tune import TuneSettings
from clpd_bench.tables.rounding import UNITS, Unit, mean_and_sd
from clpd_bench.tables.table import Table, number_columns, table
from clpd_bench.tables.terminal import terminal

_UNITS: dict[ValidationMetric, Unit] = {
    "response_loss": UNITS["response_loss"],
    "sequence_accuracy": UNITS["exact_match"],
}


@dataclass(frozen=True)
class ChosenRow:
    """An arm: what was chosen, its score and the budget; `trials` are all of its trials as (values, score)."""

    arm: str
    chosen: str
    score: str
    edges: str
    trials: list[tuple[str, str]]
    students: int
    steps: int
    tokens: int


def unit(tune: TuneSettings) -> Unit:
    """Of the scores that values were chosen by."""
    return _UNITS[tune.metric]


def score_title(tune: TuneSettings) -> str:
    """`validation response_loss (nats a token)`."""
    return f"validation {tune.metric} ({unit(tune).mean})"


def chosen_rows(tuned: TunedPoint) -> list[ChosenRow]:
    return [
        ChosenRow(
            name,
            values_text(one.chosen, tuned.tune),
            _score(tuned.tune, one.mean, one.sd),
            ", ".join(one.edges),
            [(values_text(trial.values, tuned.tune), _score(tuned.tune, trial.mean, trial.sd)) for trial in one.trials],
            one.budget.students,
            one.budget.steps,
            one.budget.tokens,
        )
        for name, one in tuned.arms.items()
    ]


def _score(tune: TuneSettings, mean: float | None, sd: float | None) -> str:
    return "diverged" if mean is None else mean_and_sd(mean, math.nan if sd is None else sd, unit(tune))


def print_chosen(tuned: Tuned, console: Console) -> None:
    """A table for each point of the grid."""
    title = score_title(tuned.tune)
    console.print(f"Chosen for each arm; under each trial its {title}, mean ± sd over seeds", markup=False)
    for point in tuned.points:
        if len(tuned.points) > 1:
            console.print(f"\nAt the point {point}:", markup=False)
        console.print(terminal(_chosen_table(chosen_rows(tuned.at(point)))))


def _chosen_table(rows: list[ChosenRow]) -> Table:
    """A line an arm, what was chosen first, then the score at each trial."""
    heads = number_columns("arm", "chosen", "edge", "students", "steps", "tokens", *dict(rows[0].trials), wraps=False)
    lines = [
        [
            row.arm,
            row.chosen,
            "yes" if row.edges else "",
            f"{row.students}",
            f"{row.steps:,}",
            f"{row.tokens:,}",
            *(score for _, score in row.trials),
        ]
        for row in rows
    ]
    return table(heads, lines)
