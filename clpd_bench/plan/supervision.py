"""A cell's arm in the words of a job: only what can change the student."""

from __future__ import annotations

from clpd_bench.grid.cells import Cell
from clpd_bench.settings.parts.curriculum import (
    RANKED,
    AntiAligned,
    ByDifficulty,
    LastTeacher,
    NoTeacher,
    Only,
    Permuted,
    RandomStages,
    Strongest,
    TeacherRule,
    WeakToStrong,
)
from clpd_bench.settings.parts.loss import CrossEntropy
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.specs import Supervision

PACED = (*RANKED, RandomStages)
"""Orders that the curriculum's pacing makes, stage after stage."""


def teachers_of(cell: Cell, teachers: tuple[str, ...]) -> tuple[str, ...]:
    """The teachers that supervise this cell, weakest first."""
    rule = cell.arm.teachers
    if isinstance(rule, NoTeacher):
        return ()
    if isinstance(rule, Only):
        return (rule.teacher,)
    if cell.teachers_of:
        return teachers_of(cell.teachers_of, teachers)
    return teachers[-1:] if isinstance(rule, Strongest | LastTeacher) else teachers


def supervision_of(cell: Cell, teachers: tuple[str, ...]) -> Supervision:
    """Stages stand in it only where order or teachers go by stage, pacing only where the order does:
    a shuffled student of one teacher is the same student whatever the curriculum block says."""
    mine = teachers_of(cell, teachers)
    rule = _rule(cell.arm.teachers, mine)
    by_stage = len(mine) > 1 and not isinstance(rule, ByDifficulty)
    order = _order(cell)
    return order.model_copy(
        update={
            "loss": cell.loss if mine else CrossEntropy(name="cross_entropy"),
            "stages": cell.curriculum.stages if by_stage or isinstance(rule, LastTeacher | Plugin) else order.stages,
            "teachers": len(mine),
            "rule": rule,
            "teachers_of": _pairs(cell.teachers_of, teachers) if rule and cell.teachers_of else None,
        }
    )


def _order(cell: Cell) -> Supervision:
    """The order alone, without teachers."""
    order = cell.arm.order
    if isinstance(order, Permuted):
        assert cell.order_of
        # Whose presentations they are stands in `order_of`; the name is the file's own affair.
        return Supervision(order=Permuted(name="permuted", of=""), order_of=_order(cell.order_of))
    if isinstance(order, PACED):
        return Supervision(order=order, stages=cell.curriculum.stages, pacing=cell.curriculum.pacing)
    return Supervision(order=order)


def _pairs(cell: Cell, teachers: tuple[str, ...]) -> Supervision:
    """Order and teachers, without the loss."""
    return supervision_of(cell, teachers).model_copy(update={"loss": CrossEntropy(name="cross_entropy")})


def _rule(rule: TeacherRule, mine: tuple[str, ...]) -> TeacherRule | None:
    """None where the number of teachers says it all; one teacher alone leaves nothing to schedule."""
    if isinstance(rule, LastTeacher | Plugin):
        return rule
    if isinstance(rule, ByDifficulty):
        return ByDifficulty(name="by_difficulty", of="")
    return None if len(mine) < 2 or isinstance(rule, WeakToStrong) else rule


def needs_difficulty(supervision: Supervision | None) -> bool:
    """Whether the schedule depends on how hard examples are."""
    if supervision is None:
        return False
    return (
        isinstance(supervision.order, RANKED)
        or isinstance(supervision.rule, AntiAligned)
        or needs_difficulty(supervision.order_of)
        or needs_difficulty(supervision.teachers_of)
    )
