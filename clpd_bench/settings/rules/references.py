"""Arms that refer to others, stages that seat teachers, difficulties that a corpus or a model must give."""

from __future__ import annotations

from collections.abc import Iterable

from clpd_bench.errors import UserError
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.parts.ablation import Ablation, Arm
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.curriculum import (
    RANKED,
    AntiAligned,
    ByDifficulty,
    LastTeacher,
    NoTeacher,
    Permuted,
    RandomTeachers,
    Shuffled,
    StrongToWeak,
    WeakToStrong,
    shorthand_of,
)
from clpd_bench.settings.parts.difficulty import Column, StudentLoss, TeacherLoss, plain
from clpd_bench.settings.plugin import Plugin


def known(found: str, names: Iterable[str], what: str, key: str) -> None:
    names = list(names)
    if found not in names:
        raise UserError(f"there is no {what} {found!r}", key=key, found=found, allowed=names)


def references_of(arm: Arm) -> list[tuple[str, str]]:
    """(where it stands in the arm, the arm it names) of each `of:`."""
    order = [("order.of", arm.order.of)] if isinstance(arm.order, Permuted) else []
    return order + ([("teachers.of", arm.teachers.of)] if isinstance(arm.teachers, ByDifficulty) else [])


def own_exposure(a: Ablation, name: str) -> bool:
    """Whether this arm shows some examples more often than others."""
    order = a.arms[name].order
    if isinstance(order, Permuted):
        return own_exposure(a, order.of)
    return not isinstance(order, Shuffled) and resolve(a, name).curriculum.match == "tokens"


def check_references_to_arms(a: Ablation) -> None:
    """An arm that takes something from another has its data, training and curriculum.

    Raises:
        UserError: an unknown arm, a circle, arms that differ in what they must share.
    """
    for name, arm in a.arms.items():
        for place, other in references_of(arm):
            known(other, a.arms, "arm", f"arms.{name}.{place}")
    for name, arm in a.arms.items():
        for place, other in references_of(arm):
            _refuse_circle(a, name, place, other)
    for name, arm in a.arms.items():
        for place, other in references_of(arm):
            _same_material(a, name, place, other)
        if isinstance(arm.teachers, ByDifficulty):
            _same_pairs(a, name, arm, arm.teachers.of)


def _refuse_circle(a: Ablation, name: str, place: str, other: str) -> None:
    seen, waiting = set[str](), [other]
    while waiting:
        here = waiting.pop()
        if here == name:
            raise UserError(
                f"arm {name!r} is made from arm {other!r}, and that one in the end from {name!r}",
                key=f"arms.{name}.{place}",
                fix="Let one of them stand on its own",
            )
        if here not in seen:
            seen.add(here)
            waiting += [further for _, further in references_of(a.arms[here])]


def _same_material(a: Ablation, name: str, place: str, other: str) -> None:
    mine, theirs = resolve(a, name), resolve(a, other)
    # What training may be tuned in (never its length) decides no presentation.
    tuned = {key.removeprefix("student.training.") for arm in (name, other) for key in a.arms[arm].tuned}
    trained = [one.student.training.model_dump(exclude=tuned) for one in (mine, theirs)]
    for key, one, two in (
        ("student.corpus", mine.student.corpus, theirs.student.corpus),
        ("student.training", *trained),
        ("curriculum", mine.curriculum, theirs.curriculum),
    ):
        if fingerprint(one) != fingerprint(two):
            raise UserError(
                f"arm {name!r} takes its {place.split('.')[0]} from arm {other!r}, and the two differ in {key}",
                key=f"arms.{name}.{place}",
                fix="Give both arms the same `differs:`, or none",
            )


def _same_pairs(a: Ablation, name: str, arm: Arm, other: str) -> None:
    theirs = a.arms[other]
    if isinstance(theirs.teachers, NoTeacher):
        raise UserError(
            f"arm {name!r} takes its teachers from arm {other!r}, which has none", key=f"arms.{name}.teachers.of"
        )
    order = arm.order
    permutes = isinstance(order, Permuted) and order.of == other
    if resolve(a, name).curriculum.match == "tokens" and not permutes and order != theirs.order:
        raise UserError(
            f"arm {name!r} takes the pairs of example and teacher of arm {other!r} and shows other presentations: "
            "under match: tokens exposure depends on the order",
            key=f"arms.{name}.teachers.of",
            fix=f"Give the arm `order: permuted:{other}`",
        )


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
