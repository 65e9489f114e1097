"""An ablation's cells: each arm with each seed."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.settings.ablation import Ablation, Arm
from clpd_bench.settings.arms import resolve
from clpd_bench.settings.curriculum import ByDifficulty, CurriculumSettings, Permuted
from clpd_bench.settings.loss import DistillationLoss
from clpd_bench.settings.model import StudentSettings


@dataclass(frozen=True)
class Cell:
    """One student to train and evaluate, fully resolved.

    `order_of` and `teachers_of` are the cells of this seed that the arm's order and its teachers refer to.
    """

    ablation: str
    arm_name: str
    arm: Arm
    seed: int
    student: StudentSettings
    loss: DistillationLoss
    curriculum: CurriculumSettings
    order_of: Cell | None = None
    teachers_of: Cell | None = None

    @property
    def id(self) -> str:
        return f"{self.ablation}/{self.arm_name}/{self.seed}"


def cells(ablation: Ablation, name: str) -> list[Cell]:
    """Arm by arm in the file's order, seed by seed; `name` is what cells are called by."""
    return [_cell(ablation, name, arm, seed) for arm in ablation.arms for seed in ablation.seeds]


def _cell(ablation: Ablation, name: str, arm_name: str, seed: int) -> Cell:
    arm, mine = ablation.arms[arm_name], resolve(ablation, arm_name)
    order, rule = arm.order, arm.teachers
    return Cell(
        name, arm_name, arm, seed, mine.student, mine.loss, mine.curriculum,
        _cell(ablation, name, order.of, seed) if isinstance(order, Permuted) else None,
        _cell(ablation, name, rule.of, seed) if isinstance(rule, ByDifficulty) else None,
    )  # fmt: skip
