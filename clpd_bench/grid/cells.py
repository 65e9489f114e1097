"""A grid point's cells: each arm with each seed."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.settings.parts.ablation import Ablation, Arm
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.curriculum import CurriculumSettings
from clpd_bench.settings.parts.loss import DistillationLoss
from clpd_bench.settings.parts.model import StudentSettings


@dataclass(frozen=True)
class Cell:
    """One student to train and evaluate, fully resolved.

    `point` is what its point of the grid is called by, empty where nothing varies. `order_of` and
    `teachers_of` are the cells of this seed that the arm's order and its teachers refer to.
    """

    ablation: str
    arm_name: str
    point: str
    arm: Arm
    seed: int
    student: StudentSettings
    loss: DistillationLoss
    curriculum: CurriculumSettings
    order_of: Cell | None = None
    teachers_of: Cell | None = None

    @property
    def label(self) -> str:
        """`clpd[strength=0.6]/0`."""
        return f"{self.arm_name}{self.point}/{self.seed}"

    @property
    def id(self) -> str:
        return f"{self.ablation}/{self.label}"


def cells(ablation: Ablation, name: str, point: str = "") -> list[Cell]:
    """Arm by arm in the file's order, seed by seed.

    Args:
        ablation: one point's (see `points`).
        name, point: what cells are called by.
    """
    return [_cell(ablation, name, point, arm, seed) for arm in ablation.arms for seed in ablation.seeds]


def _cell(ablation: Ablation, name: str, point: str, arm_name: str, seed: int) -> Cell:
    arm, mine = ablation.arms[arm_name], resolve(ablation, arm_name)
    order_of, teachers_of = (
        None if other is None else _cell(ablation, name, point, other, seed)
        for other in (arm.order.of_arm, arm.teachers.of_arm)
    )
    return Cell(name, arm_name, point, arm, seed, mine.student, mine.loss, mine.curriculum, order_of, teachers_of)
