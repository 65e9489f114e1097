"""Stages that seat teachers, and difficulties that a corpus or a model must give."""

from __future__ import annotations

from clpd_bench.errors import UserError, known
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.curriculum import shorthand_of
from clpd_bench.settings.rules.arms import references_of


def check_seats(a: Ablation) -> None:
    """Enough stages for the teachers that go by stage."""
    for name, arm in a.arms.items():
        stages = resolve(a, name).curriculum.stages
        key = "curriculum.stages" if stages == a.curriculum.stages else f"arms.{name}.differs"
        least = arm.teachers.least_stages(len(arm.teachers.takes(a.teachers)), name)
        if stages < least.stages:
            raise UserError(
                f"{stages} stage{'s' if stages > 1 else ''} cannot {least.cannot}",
                key=key,
                fix=f"Set curriculum.stages to {least.stages} or more, or {least.instead}",
            )


def follows_difficulty(a: Ablation, name: str) -> bool:
    """Whether this arm's order or teachers go by how hard examples are."""
    arm = a.arms[name]
    others = (other for _, other in references_of(arm))
    return (
        arm.order.needs_difficulty
        or arm.teachers.needs_difficulty
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
    difficulty = a.curriculum.difficulty.plain
    if difficulty.scorer is not None:
        scorers = a.models if difficulty.scorer == "model" else a.teachers
        known(difficulty.scored_by or "", scorers, difficulty.scorer, "curriculum.difficulty")
    for corpus_name in dict.fromkeys([a.student.corpus, *a.evaluation.corpora.values()]):
        corpus = a.corpora[corpus_name]
        for column in difficulty.columns:
            if column not in corpus.columns:
                raise UserError(
                    f"corpus {corpus_name!r} carries no column {column!r}",
                    key="curriculum.difficulty",
                    found=column,
                    allowed=corpus.columns,
                    fix="A jsonl source carries the fields that its `columns:` lists",
                )
        if difficulty.counts and not corpus.has_rationale:
            raise UserError(
                f"{shorthand_of(difficulty)} counts the {difficulty.counts} of rationales, and corpus {corpus_name!r} "
                "has none",
                key="curriculum.difficulty",
                fix="Name the field with `rationale:` or `split_on:`, or use another difficulty",
            )
