"""What arms have in common of their curricula: stages, what is hard, how stages draw."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from clpd_bench.settings.base import Settings
from clpd_bench.settings.parts.difficulty import Difficulty
from clpd_bench.settings.parts.pacings import Pacing
from clpd_bench.settings.plugin import Plugin


class ArmCurriculum(Settings):
    """What others ask of an arm's order and of its teacher rule."""

    needs_difficulty: ClassVar[bool] = False
    drawn: ClassVar[bool] = False
    """Whether it draws at random, beside the order of the data."""

    @property
    def of_arm(self) -> str | None:
        """The arm that it is made from: its field `of`, if it has one."""
        return getattr(self, "of", None)

    def nameless(self) -> Self:
        """Without the arm's name, which is the file's own affair: what it takes stands in the key."""
        return self if self.of_arm is None else self.model_copy(update={"of": ""})


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
        name, equal = shorthand_of(self.pacing), self.pacing.equal_exposure
        if not equal and self.match == "exposure":
            raise ValueError(
                f"pacing {name} shows easy data more often than hard, so arms cannot match in exposure; write "
                "match: tokens (`permuted` is then the fitting control), or use blend or partition"
            )
        if equal and self.match == "tokens":
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
