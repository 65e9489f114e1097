"""The explicit curriculum (order of the data, pacing) and the implicit one (who teaches when)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from clpd_bench.settings.base import Settings, shorthand
from clpd_bench.settings.parts.difficulty import Difficulty
from clpd_bench.settings.plugin import Plugin, pluggable


class Blend(Settings):
    """Of bucket j's presentations the share (1 - strength)/K + strength [k = j] falls into stage k."""

    name: Literal["blend"]
    strength: float = Field(ge=0, le=1)


class Partition(Settings):
    """Stage k draws from bucket k alone (One-Pass): blend of strength 1."""

    name: Literal["partition"]


class Cumulative(Settings):
    """Stage k draws from buckets 1..k (Baby Step)."""

    name: Literal["cumulative"]


class Mixed(Settings):
    """Stage k draws from bucket k, and the share `replay` of its tokens from buckets 1..k-1.

    The first stage has nothing to replay.
    """

    name: Literal["mixed"]
    replay: float = Field(gt=0, lt=1)


Pacing = Annotated[
    Blend | Partition | Cumulative | Mixed | Plugin,
    Field(discriminator="name"),
    pluggable(Plugin),
    shorthand(blend="strength", mixed="replay"),
]


class Shuffled(Settings):
    """One random permutation of the data an epoch."""

    name: Literal["shuffled"]


class EasyToHard(Settings):
    """The curriculum's pacing over buckets of growing difficulty."""

    name: Literal["easy_to_hard"]


class HardToEasy(Settings):
    """The curriculum's pacing over the same buckets, the hardest first."""

    name: Literal["hard_to_easy"]


class RandomStages(Settings):
    """The curriculum's pacing over buckets of random ranks."""

    name: Literal["random_stages"]


class ShuffledStages(Settings):
    """The curriculum's pacing over the real buckets in a random order, for some seeds the ordered one."""

    name: Literal["shuffled_stages"]


class Permuted(Settings):
    """Another arm's presentations, uniformly permuted: its exposure without its order."""

    name: Literal["permuted"]
    of: str


class Homogeneous(Settings):
    """The batches of easy_to_hard under the same curriculum, in random order."""

    name: Literal["homogeneous"]


RANKED = (EasyToHard, HardToEasy, ShuffledStages, Homogeneous)
"""Orders that go by difficulty."""


class NoTeacher(Settings):
    """Cross-entropy on the corpus's own responses."""

    name: Literal["none"]


class Strongest(Settings):
    """The last of `teachers`, throughout."""

    name: Literal["strongest"]


class Only(Settings):
    """One of `teachers`, throughout."""

    name: Literal["only"]
    teacher: str


class WeakToStrong(Settings):
    """Of M teachers, ceil(k M / K) supervises stage k of K."""

    name: Literal["weak_to_strong"]


class StrongToWeak(Settings):
    """weak_to_strong backwards in time: each teacher has as many stages as there."""

    name: Literal["strong_to_weak"]


class RandomTeachers(Settings):
    """weak_to_strong's teachers, uniformly permuted over the presentations."""

    name: Literal["random"]


class ByDifficulty(Settings):
    """Another arm's (example, teacher) pairs, at the times of this arm's order."""

    name: Literal["by_difficulty"]
    of: str


class AntiAligned(Settings):
    """By bucket, not by time: the strongest teacher for the easiest, the weakest for the hardest."""

    name: Literal["anti_aligned"]


class LastTeacher(Settings):
    """Cross-entropy, then the strongest teacher for the last stage."""

    name: Literal["last_teacher"]


Order = Annotated[
    Shuffled | EasyToHard | HardToEasy | RandomStages | ShuffledStages | Permuted | Homogeneous,
    Field(discriminator="name"),
    shorthand(permuted="of"),
]
TeacherRule = Annotated[
    NoTeacher
    | Strongest
    | Only
    | WeakToStrong
    | StrongToWeak
    | RandomTeachers
    | ByDifficulty
    | AntiAligned
    | LastTeacher
    | Plugin,
    Field(discriminator="name"),
    pluggable(Plugin),
    shorthand(only="teacher", by_difficulty="of"),
]


class CurriculumSettings(Settings):
    """One block for all arms: which stages there are, what is hard, how the stages draw.

    `difficulty` may be left out where no arm follows one. `match` is what arms have in common: `exposure`,
    exactly the same presentations, or `tokens`, as many tokens.
    """

    stages: int = Field(ge=1)
    difficulty: Difficulty | None = None
    pacing: Pacing
    match: Literal["exposure", "tokens"] = "exposure"

    @model_validator(mode="after")
    def _match_is_possible(self) -> Self:
        name, drawn = shorthand_of(self.pacing), isinstance(self.pacing, Cumulative | Mixed)
        if drawn and self.match == "exposure":
            raise ValueError(
                f"pacing {name} shows easy data more often than hard, so arms cannot match in exposure; write "
                "match: tokens (`permuted` is then the fitting control), or use blend or partition"
            )
        if not drawn and self.match == "tokens":
            raise ValueError(f"pacing {name} shows every example equally often: leave out match: tokens")
        return self


def shorthand_of(rule: Settings) -> str:
    """A named setting as one may write it: `strongest`, `only:small`, `mine.py:rare_words(floor=3)`."""
    if isinstance(rule, Plugin):
        arguments = ", ".join(f"{key}={value}" for key, value in rule.arguments.items())
        return f"{rule.file.name}:{rule.function}" + (f"({arguments})" if arguments else "")
    values = [getattr(rule, field) for field in type(rule).model_fields if field != "name"]
    inner = (shorthand_of(value) if isinstance(value, Settings) else str(value) for value in values)
    return ":".join([str(getattr(rule, "name", "")), *inner])
