"""A cell's arm in the words of a job: only what can change the student."""

from __future__ import annotations

from clpd_bench.grid import Cell
from clpd_bench.settings.curriculum import EasyToHard, NoTeacher, Strongest, WeakToStrong
from clpd_bench.settings.loss import CrossEntropy
from clpd_bench.settings.specs import Supervision


def teachers_of(cell: Cell, teachers: tuple[str, ...]) -> tuple[str, ...]:
    """The teachers that supervise this cell, weakest first."""
    if isinstance(cell.arm.teachers, NoTeacher):
        return ()
    return teachers[-1:] if isinstance(cell.arm.teachers, Strongest) else teachers


def supervision_of(cell: Cell, teachers: tuple[str, ...]) -> Supervision:
    """Stages stand in it only where order or teachers go by stage, pacing only where the order does:
    a shuffled student of one teacher is the same student whatever the curriculum block says."""
    ordered = isinstance(cell.arm.order, EasyToHard)
    mine = teachers_of(cell, teachers)
    by_stage = ordered or (isinstance(cell.arm.teachers, WeakToStrong) and len(mine) > 1)
    return Supervision(
        loss=cell.loss if mine else CrossEntropy(name="cross_entropy"),
        order=cell.arm.order,
        stages=cell.curriculum.stages if by_stage else None,
        pacing=cell.curriculum.pacing if ordered else None,
        teachers=len(mine),
    )
