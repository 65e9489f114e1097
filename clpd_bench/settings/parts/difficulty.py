"""Difficulties: what makes an example hard. Higher is harder."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from clpd_bench.settings.base import Settings, shorthand
from clpd_bench.settings.plugin import Plugin, pluggable


class DifficultySettings(Settings):
    """What others ask of a difficulty."""

    scorer: ClassVar[Literal["model", "teacher"] | None] = None
    """The field that names the model which scores examples: any of the file's, or one of `teachers`."""
    counts: ClassVar[str] = ""
    """What of rationales it counts."""

    @property
    def plain(self) -> DifficultySettings:
        """The difficulty itself, of a residual the one behind it."""
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the corpus that it reads."""
        return ()

    @property
    def scored_by(self) -> str | None:
        """The model's name."""
        return getattr(self, self.scorer) if self.scorer else None

    def nameless(self) -> Self:
        """Without the model's name, which is the file's own affair: the model is a parent of the job."""
        return self.model_copy(update={self.scorer: ""}) if self.scorer else self


class CotTokens(DifficultySettings):
    """Tokens in the rationale, under the student's tokenizer."""

    name: Literal["cot_tokens"]
    counts = "tokens"


class CotSteps(DifficultySettings):
    """Steps in the rationale: its lines, its sentences, or its equations (`cot_steps:lines`)."""

    name: Literal["cot_steps"]
    splitter: Literal["lines", "sentences", "equations"]
    counts = "steps"


class StudentLoss(DifficultySettings):
    """Mean nats a response token under one reference student, a model of the file as its training
    left it: the same scores for all seeds (POCL, arXiv 2506.05695)."""

    name: Literal["student_loss"]
    model: str
    scorer = "model"


class TeacherLoss(DifficultySettings):
    """The same under one of `teachers`."""

    name: Literal["teacher_loss"]
    teacher: str
    scorer = "teacher"


class Column(DifficultySettings):
    """A number column of the corpus."""

    name: Literal["column"]
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


class DifficultyPlugin(Plugin, DifficultySettings):
    kind = "difficulty"
    given = ("example",)


_Plain = CotTokens | CotSteps | StudentLoss | TeacherLoss | Column | DifficultyPlugin
_ARGUMENTS = {"cot_steps": "splitter", "student_loss": "model", "teacher_loss": "teacher", "column": "column"}


class LengthResidual(DifficultySettings):
    """What is left of a difficulty after a least-squares line through response length, in tokens,
    fitted on the training split (`length_residual:cot_tokens`)."""

    name: Literal["length_residual"]
    difficulty: Annotated[_Plain, Field(discriminator="name"), pluggable(DifficultyPlugin), shorthand(**_ARGUMENTS)]

    @property
    def plain(self) -> DifficultySettings:
        return self.difficulty

    @property
    def scored_by(self) -> str | None:
        return self.difficulty.scored_by

    def nameless(self) -> Self:
        return self.model_copy(update={"difficulty": self.difficulty.nameless()})


Difficulty = Annotated[
    _Plain | LengthResidual,
    Field(discriminator="name"),
    pluggable(DifficultyPlugin),
    shorthand(**_ARGUMENTS, length_residual="difficulty"),
]
