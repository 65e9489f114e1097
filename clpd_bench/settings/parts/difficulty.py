"""Difficulties: what makes an example hard. Higher is harder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clpd_bench.settings.base import Settings, shorthand
from clpd_bench.settings.plugin import Plugin, pluggable


class CotTokens(Settings):
    """Tokens in the rationale, under the student's tokenizer."""

    name: Literal["cot_tokens"]


class CotSteps(Settings):
    """Steps in the rationale: its lines, its sentences, or its equations (`cot_steps:lines`)."""

    name: Literal["cot_steps"]
    splitter: Literal["lines", "sentences", "equations"]


class StudentLoss(Settings):
    """Mean nats a response token under one reference student, a model of the file as its training
    left it: the same scores for all seeds (POCL, arXiv 2506.05695)."""

    name: Literal["student_loss"]
    model: str


class TeacherLoss(Settings):
    """The same under one of `teachers`."""

    name: Literal["teacher_loss"]
    teacher: str


class Column(Settings):
    """A number column of the corpus."""

    name: Literal["column"]
    column: str


PlainDifficulty = Annotated[
    CotTokens | CotSteps | StudentLoss | TeacherLoss | Column | Plugin,
    Field(discriminator="name"),
    pluggable(Plugin),
    shorthand(cot_steps="splitter", student_loss="model", teacher_loss="teacher", column="column"),
]


class LengthResidual(Settings):
    """What is left of a difficulty after a least-squares line through response length, in tokens,
    fitted on the training split (`length_residual:cot_tokens`)."""

    name: Literal["length_residual"]
    difficulty: PlainDifficulty


Difficulty = Annotated[
    CotTokens | CotSteps | StudentLoss | TeacherLoss | Column | LengthResidual | Plugin,
    Field(discriminator="name"),
    pluggable(Plugin),
    shorthand(
        cot_steps="splitter",
        student_loss="model",
        teacher_loss="teacher",
        column="column",
        length_residual="difficulty",
    ),
]


def plain(difficulty: Difficulty) -> CotTokens | CotSteps | StudentLoss | TeacherLoss | Column | Plugin:
    """The difficulty itself, of a residual the one behind it."""
    return difficulty.difficulty if isinstance(difficulty, LengthResidual) else difficulty


def scored_by(difficulty: Difficulty | None) -> str | None:
    """The model of the file whose loss it is, if it is one's."""
    inner = plain(difficulty) if difficulty else None
    if isinstance(inner, StudentLoss):
        return inner.model
    return inner.teacher if isinstance(inner, TeacherLoss) else None


def nameless(difficulty: Difficulty) -> Difficulty:
    """Without the model's name, which is the file's own affair: the model is a parent of the job."""
    if isinstance(difficulty, LengthResidual):
        return difficulty.model_copy(update={"difficulty": nameless(difficulty.difficulty)})
    if isinstance(difficulty, StudentLoss):
        return difficulty.model_copy(update={"model": ""})
    return difficulty.model_copy(update={"teacher": ""}) if isinstance(difficulty, TeacherLoss) else difficulty
