"""What a comparison declares: baseline, family, correction, primary result, the factorial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

INTERACTION = "interaction"


@dataclass(frozen=True)
class Declaration:
    """The tests that were promised.

    Attributes:
        baseline: the arm that the others are compared with.
        family: the arms, and perhaps `interaction`, whose p-values are corrected together, once for
            each benchmark and metric.
        correction: how.
        alpha: what a corrected p must not exceed to count.
        primary_benchmark, primary_metric: the one pair that the verdict is about; the metric under
            its display name (see `metric_series`).
    """

    baseline: str
    family: tuple[str, ...]
    correction: Literal["holm", "bonferroni", "none"]
    alpha: float
    primary_benchmark: str
    primary_metric: str
    margin: float | None = None
    generalise_to: Literal["these items", "new items"] = "these items"


@dataclass(frozen=True)
class Factorial:
    """The arms of the 2 x 2: order {shuffled, easy_to_hard} x teachers {strongest, weak_to_strong}."""

    standard: str
    data_ordering: str
    teacher_scheduling: str
    clpd: str
