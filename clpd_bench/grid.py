"""An ablation's cells: each arm with each seed."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.settings.ablation import Ablation, Arm
from clpd_bench.settings.arms import resolve
from clpd_bench.settings.curriculum import CurriculumSettings
from clpd_bench.settings.loss import ForwardKl
from clpd_bench.settings.model import StudentSettings


@dataclass(frozen=True)
class Cell:
    """One student to train and evaluate, fully resolved."""

    ablation: str
    arm_name: str
    arm: Arm
    seed: int
    student: StudentSettings
    loss: ForwardKl
    curriculum: CurriculumSettings

    @property
    def id(self) -> str:
        return f"{self.ablation}/{self.arm_name}/{self.seed}"


def cells(ablation: Ablation, name: str) -> list[Cell]:
    """Arm by arm in the file's order, seed by seed; `name` is what cells are called by."""
    out = []
    for arm_name, arm in ablation.arms.items():
        mine = resolve(ablation, arm_name)
        out += [Cell(name, arm_name, arm, seed, mine.student, mine.loss, mine.curriculum) for seed in ablation.seeds]
    return out
