"""A cell's arm in the words of a job: only what can change the student."""

from __future__ import annotations

from clpd_bench.grid.cells import Cell
from clpd_bench.settings.parts.loss import CrossEntropy
from clpd_bench.settings.specs import Supervision


def teachers_of(cell: Cell, teachers: tuple[str, ...]) -> tuple[str, ...]:
    """The teachers that supervise this cell, weakest first."""
    return teachers_of(cell.teachers_of, teachers) if cell.teachers_of else cell.arm.teachers.takes(teachers)


def supervision_of(cell: Cell, teachers: tuple[str, ...]) -> Supervision:
    """Stages stand in it only where order or teachers go by stage, pacing only where the order does:
    a shuffled student of one teacher is the same student whatever the curriculum block says."""
    mine = teachers_of(cell, teachers)
    rule, loss = cell.arm.teachers.in_key(len(mine)), cell.loss if mine else CrossEntropy(name="cross_entropy")
    by_stage = loss.by_stage or cell.arm.teachers.by_stage(len(mine))
    order = _order(cell)
    return order.model_copy(
        update={
            "loss": loss,
            "stages": cell.curriculum.stages if by_stage else order.stages,
            "teachers": len(mine),
            "rule": rule,
            "teachers_of": _pairs(cell.teachers_of, teachers) if rule and cell.teachers_of else None,
        }
    )


def _order(cell: Cell) -> Supervision:
    """The order alone, without teachers."""
    order = cell.arm.order
    return Supervision(
        order=order.nameless(),
        stages=cell.curriculum.stages if order.paced else None,
        pacing=cell.curriculum.pacing if order.paced else None,
        order_of=_order(cell.order_of) if cell.order_of else None,
    )


def _pairs(cell: Cell, teachers: tuple[str, ...]) -> Supervision:
    """Order and teachers, without the loss."""
    return supervision_of(cell, teachers).model_copy(update={"loss": CrossEntropy(name="cross_entropy")})


def needs_difficulty(supervision: Supervision | None) -> bool:
    """Whether the schedule depends on how hard examples are."""
    if supervision is None:
        return False
    return (
        supervision.order.needs_difficulty
        or (supervision.rule is not None and supervision.rule.needs_difficulty)
        or needs_difficulty(supervision.order_of)
        or needs_difficulty(supervision.teachers_of)
    )
