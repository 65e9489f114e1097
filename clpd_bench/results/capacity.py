"""Does a stronger teacher make a better student: a student's score against that of the teacher it had alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from clpd_bench.analysis.series import REFERENCE, Series
from clpd_bench.results.collect import SeedScores, mean_interval
from clpd_bench.settings.parts.ablation import Ablation, Arm
from clpd_bench.settings.parts.orders import EasyToHard, Shuffled
from clpd_bench.settings.parts.teacher_rules import WeakToStrong


class GapPoint(NamedTuple):
    """An arm.

    Attributes:
        role: `one teacher` throughout on shuffled data; `progressive`, from weak to strong on ordered data, which
            stands at its strongest teacher; `no teacher`; or `before`, the student before distillation.
        teacher, teacher_score: "" and nan where there is none.
        mean, low, high: over seeds, with the 95% t-interval; all three the point itself of a single one.
    """

    role: Literal["one teacher", "progressive", "no teacher", "before"]
    arm: str
    teacher: str
    teacher_score: float
    mean: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True)
class Gap:
    """Of one student, on one series, in the metric's own unit.

    Attributes:
        arms: all of the ablation in their order, for their looks.
        points: those with one teacher from the weakest teacher to the strongest, then the others.
    """

    series: Series
    arms: list[str]
    points: list[GapPoint]

    def of(self, role: str) -> list[GapPoint]:
        return [point for point in self.points if point.role == role]


def capacity_gap(ablation: Ablation, series: Series, scores: SeedScores) -> Gap | None:
    """None where fewer than two teachers, each alone, made a student that was evaluated, as each of them was.

    Arms that differ in more than order and teachers are left out: their score is not the teacher's doing alone.
    """
    points: list[GapPoint] = []
    for name, arm in ablation.arms.items():
        role, teacher = _role(arm, ablation)
        values = scores.get(("arm", name), {})
        own = scores.get((REFERENCE, f"teacher {teacher}"), {})
        if role is None or not values or bool(teacher) != bool(own):
            continue
        taught_by = float(np.mean([*own.values()])) if own else float("nan")
        points.append(
            GapPoint(role, name, teacher, taught_by, *mean_interval(np.array([*values.values()])), len(values))
        )
    before = scores.get((REFERENCE, "student before"), {})
    if before:
        mean, low, high = mean_interval(np.array([*before.values()]))
        points.append(GapPoint("before", "student before", "", float("nan"), mean, low, high, len(before)))
    alone = [point for point in points if point.role == "one teacher"]
    if len({point.teacher for point in alone}) < 2:
        return None
    alone.sort(key=lambda point: ablation.teachers.index(point.teacher))
    return Gap(series, list(ablation.arms), [*alone, *(point for point in points if point.role != "one teacher")])


def gap_csv(gaps: dict[str, Gap]) -> str:
    """The text of capacity_gap.csv: a line a point; `of` says whose, where there are several."""
    lines = [
        {**({"of": name} if name else {}), "benchmark": gap.series.benchmark, "metric": gap.series.name}
        | point._asdict()
        for name, gap in gaps.items()
        for point in gap.points
    ]
    return pd.DataFrame(lines).to_csv(index=False, lineterminator="\n")


def _role(arm: Arm, ablation: Ablation) -> tuple[Literal["one teacher", "progressive", "no teacher"] | None, str]:
    """What an arm is here, and its (strongest) teacher."""
    order, rule = arm.order, arm.teachers
    if arm.differs:
        return None, ""
    teachers = rule.takes(ablation.teachers)
    if isinstance(order, Shuffled) and not rule.schedules(len(teachers)):
        return ("one teacher", teachers[0]) if teachers else ("no teacher", "")
    if isinstance(order, EasyToHard) and isinstance(rule, WeakToStrong):
        return "progressive", ablation.teachers[-1]
    return None, ""
