"""Arms that are made from other arms."""

from __future__ import annotations

from clpd_bench.errors import UserError, known
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.parts.ablation import Ablation, Arm
from clpd_bench.settings.parts.arms import resolve


def references_of(arm: Arm) -> list[tuple[str, str]]:
    """(where it stands in the arm, the arm it names) of each `of:`."""
    places = (("order.of", arm.order.of_arm), ("teachers.of", arm.teachers.of_arm))
    return [(place, other) for place, other in places if other is not None]


def own_exposure(a: Ablation, name: str) -> bool:
    """Whether this arm shows some examples more often than others."""
    order = a.arms[name].order
    if order.of_arm is not None:
        return own_exposure(a, order.of_arm)
    return order.paced and resolve(a, name).curriculum.match == "tokens"


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
        if arm.teachers.of_arm is not None:
            _same_pairs(a, name, arm, arm.teachers.of_arm)


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
    if not theirs.teachers.has_teacher:
        raise UserError(
            f"arm {name!r} takes its teachers from arm {other!r}, which has none", key=f"arms.{name}.teachers.of"
        )
    same_shown = arm.order.of_arm == other or arm.order == theirs.order
    if resolve(a, name).curriculum.match == "tokens" and not same_shown:
        raise UserError(
            f"arm {name!r} takes the pairs of example and teacher of arm {other!r} and shows other presentations: "
            "under match: tokens exposure depends on the order",
            key=f"arms.{name}.teachers.of",
            fix=f"Give the arm `order: permuted:{other}`",
        )
