"""Stages that seat teachers, and difficulties that a corpus or a model must give."""

from __future__ import annotations

from clpd_bench.errors import UserError, known
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.curriculum import (
    RANKED,
    AntiAligned,
    LastTeacher,
    RandomTeachers,
    StrongToWeak,
    WeakToStrong,
    shorthand_of,
)
from clpd_bench.settings.parts.difficulty import Column, StudentLoss, TeacherLoss, plain
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.rules.arms import references_of


def check_seats(a: Ablation) -> None:
    """Enough stages for the teachers that go by stage."""
    for name, arm in a.arms.items():
        stages = resolve(a, name).curriculum.stages
        key = "curriculum.stages" if stages == a.curriculum.stages else f"arms.{name}.differs"
        if isinstance(arm.teachers, WeakToStrong | StrongToWeak | RandomTeachers | AntiAligned) and stages < len(
            a.teachers
        ):
            raise UserError(
                f"{stages} stage{'s' if stages > 1 else ''} cannot seat the {len(a.teachers)} teachers of "
                f"arm {name!r}, one a stage",
                key=key,
                fix=f"Set curriculum.stages to {len(a.teachers)} or more, or list fewer teachers",
            )
        if isinstance(arm.teachers, LastTeacher) and stages < 2:
            raise UserError(
                f"arm {name!r} has a teacher in the last stage alone, and there is but one stage",
                key=key,
                fix="Set curriculum.stages to 2 or more, or say teachers: strongest",
            )


def follows_difficulty(a: Ablation, name: str) -> bool:
    """Whether this arm's order or teachers go by how hard examples are."""
    arm = a.arms[name]
    others = (other for _, other in references_of(arm))
    return (
        isinstance(arm.order, RANKED)
        or isinstance(arm.teachers, AntiAligned)
        or any(follows_difficulty(a, other) for other in others)
    )


def check_followed(a: Ablation) -> None:
    """There is a difficulty where an arm follows one."""
    for name, arm in a.arms.items():
        if follows_difficulty(a, name) and resolve(a, name).curriculum.difficulty is None:
            raise UserError(
                f"arm {name!r} (order {shorthand_of(arm.order)}, teachers {shorthand_of(arm.teachers)}) goes "
                "by how hard examples are, and nothing says what is hard",
                key="curriculum.difficulty",
                fix="Name a difficulty, such as `difficulty: cot_tokens`",
            )


def check_difficulty(a: Ablation) -> None:
    """What the difficulty, if there is one, asks of corpora and models is there."""
    if a.curriculum.difficulty is None:
        return
    difficulty = plain(a.curriculum.difficulty)
    if isinstance(difficulty, StudentLoss):
        known(difficulty.model, a.models, "model", "curriculum.difficulty")
        return
    if isinstance(difficulty, TeacherLoss):
        known(difficulty.teacher, a.teachers, "teacher", "curriculum.difficulty")
        return
    if isinstance(difficulty, Plugin):
        return
    for corpus_name in dict.fromkeys([a.student.corpus, *a.evaluation.corpora.values()]):
        if isinstance(difficulty, Column):
            columns = a.corpora[corpus_name].columns
            if difficulty.column not in columns:
                raise UserError(
                    f"corpus {corpus_name!r} carries no column {difficulty.column!r}",
                    key="curriculum.difficulty",
                    found=difficulty.column,
                    allowed=columns,
                    fix="A jsonl source carries the fields that its `columns:` lists",
                )
        elif not a.corpora[corpus_name].has_rationale:
            counted = "tokens" if difficulty.name == "cot_tokens" else "steps"
            raise UserError(
                f"{difficulty.name} counts the {counted} of rationales, and corpus {corpus_name!r} has none",
                key="curriculum.difficulty",
                fix="Name the field with `rationale:` or `split_on:`, or use another difficulty",
            )
