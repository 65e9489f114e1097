"""The explicit curriculum (order of the data) and the implicit one (who teaches when)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clpd_bench.settings.base import Settings, shorthand


class CotTokens(Settings):
    """Tokens in the rationale, under the student's tokenizer."""

    name: Literal["cot_tokens"]


class Column(Settings):
    """A number column of the corpus."""

    name: Literal["column"]
    column: str


class Blend(Settings):
    """Of bucket j's presentations the share (1 - strength)/K + strength [k = j] falls into stage k."""

    name: Literal["blend"]
    strength: float = Field(ge=0, le=1)


class Shuffled(Settings):
    """One random permutation of the data an epoch."""

    name: Literal["shuffled"]


class EasyToHard(Settings):
    """The curriculum's pacing over buckets of growing difficulty."""

    name: Literal["easy_to_hard"]


class NoTeacher(Settings):
    """Cross-entropy on the corpus's own responses."""

    name: Literal["none"]


class Strongest(Settings):
    """The last of `teachers`, throughout."""

    name: Literal["strongest"]


class WeakToStrong(Settings):
    """Of M teachers, ceil(k M / K) supervises stage k of K."""

    name: Literal["weak_to_strong"]


Difficulty = Annotated[CotTokens | Column, Field(discriminator="name"), shorthand(column="column")]
Order = Annotated[Shuffled | EasyToHard, Field(discriminator="name"), shorthand()]
TeacherRule = Annotated[NoTeacher | Strongest | WeakToStrong, Field(discriminator="name"), shorthand()]


class CurriculumSettings(Settings):
    """One block for all arms: which stages there are, what is hard, how the stages draw."""

    stages: int = Field(ge=1)
    difficulty: Difficulty
    pacing: Blend
