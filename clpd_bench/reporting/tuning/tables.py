"""What was chosen, and every trial, as tables for a terminal and for the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clpd_bench.reporting.rounding import UNITS, Unit, mean_and_sd
from clpd_bench.reporting.tuning.warnings import values_text
from clpd_bench.settings.tune import Metric
from clpd_bench.settings.tuned import Tuned

_UNITS: dict[Metric, Unit] = {"response_loss": UNITS["response_loss"], "sequence_accuracy": UNITS["exact_match"]}


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


def unit(tuned: Tuned) -> Unit:
    """Of the scores that values were chosen by."""
    return _UNITS[tuned.tune.metric]


def score_title(tuned: Tuned) -> str:
    """`validation response_loss (nats a token)`."""
    return f"validation {tuned.tune.metric} ({unit(tuned).mean})"


def chosen_rows(tuned: Tuned) -> list[ChosenRow]:
    return [
        ChosenRow(
            name,
            values_text(one.chosen, tuned.tune),
            _score(tuned, one.mean, one.sd),
            ", ".join(one.edges),
            [(values_text(trial.values, tuned.tune), _score(tuned, trial.mean, trial.sd)) for trial in one.trials],
            one.budget.students,
            one.budget.steps,
            one.budget.tokens,
        )
        for name, one in tuned.arms.items()
    ]


def _score(tuned: Tuned, mean: float | None, sd: float | None) -> str:
    return "diverged" if mean is None else mean_and_sd(mean, math.nan if sd is None else sd, unit(tuned))


def print_chosen(tuned: Tuned, console: Console) -> None:
    """A line an arm, what was chosen first, then the score at each trial."""
    rows = chosen_rows(tuned)
    table = Table(box=None, pad_edge=False)
    for i, column in enumerate(["arm", "chosen", "edge", "students", "steps", "tokens", *dict(rows[0].trials)]):
        table.add_column(column, justify="left" if i == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            escape(row.arm),
            row.chosen,
            "yes" if row.edges else "",
            f"{row.students}",
            f"{row.steps:,}",
            f"{row.tokens:,}",
            *(score for _, score in row.trials),
        )
    console.print(f"Chosen for each arm; under each trial its {score_title(tuned)}, mean ± sd over seeds", markup=False)
    console.print(table)
