"""Teacher rules: the implicit curriculum, who teaches when."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import Field

from clpd_bench.settings.base import shorthand
from clpd_bench.settings.parts.curriculum import ArmCurriculum
from clpd_bench.settings.plugin import Plugin, pluggable


class Least(NamedTuple):
    """How many stages there must be, what fewer cannot do, and what else would do."""

    stages: int
    cannot: str
    instead: str


class TeacherRuleSettings(ArmCurriculum):
    """`of_arm` is the arm whose pairs of example and teacher it takes."""

    has_teacher: ClassVar[bool] = True
    schedules_one: ClassVar[bool] = False
    """Whether it leaves something to schedule where there is one teacher alone."""

    def takes(self, teachers: tuple[str, ...]) -> tuple[str, ...]:
        """Those that supervise, weakest first; of a rule with `of_arm`, that arm's rule says it."""
        return teachers if self.has_teacher else ()

    def schedules(self, teachers: int) -> bool:
        """Whether so many supervisors take turns."""
        return self.schedules_one or teachers > 1

    def by_stage(self, teachers: int) -> bool:
        return self.schedules(teachers) and self.of_arm is None

    def in_key(self, teachers: int) -> Self | None:
        """None where the number of teachers says it all."""
        return self.nameless() if self.schedules(teachers) else None

    def least_stages(self, teachers: int, arm: str) -> Least:
        """For so many supervisors of an arm."""
        seats = teachers if self.by_stage(teachers) else 1
        return Least(seats, f"seat the {teachers} teachers of arm {arm!r}, one a stage", "list fewer teachers")


class NoTeacher(TeacherRuleSettings):
    """Cross-entropy on the corpus's own responses."""

    name: Literal["none"]
    has_teacher = False


class Strongest(TeacherRuleSettings):
    """The last of `teachers`, throughout."""

    name: Literal["strongest"]

    def takes(self, teachers: tuple[str, ...]) -> tuple[str, ...]:
        return teachers[-1:]


class Only(TeacherRuleSettings):
    """One of `teachers`, throughout."""

    name: Literal["only"]
    teacher: str

    def takes(self, teachers: tuple[str, ...]) -> tuple[str, ...]:
        return (self.teacher,)


class WeakToStrong(TeacherRuleSettings):
    """Of M teachers, ceil(k M / K) supervises stage k of K."""

    name: Literal["weak_to_strong"]

    def in_key(self, teachers: int) -> None:
        """What no rule stands for."""


class StrongToWeak(TeacherRuleSettings):
    """weak_to_strong backwards in time: each teacher has as many stages as there."""

    name: Literal["strong_to_weak"]


class RandomTeachers(TeacherRuleSettings):
    """weak_to_strong's teachers, uniformly permuted over the presentations."""

    name: Literal["random"]
    drawn = True


class ByDifficulty(TeacherRuleSettings):
    """Another arm's (example, teacher) pairs, at the times of this arm's order."""

    name: Literal["by_difficulty"]
    of: str
    drawn = schedules_one = True


class AntiAligned(TeacherRuleSettings):
    """By bucket, not by time: the strongest teacher for the easiest, the weakest for the hardest."""

    name: Literal["anti_aligned"]
    needs_difficulty = True


class LastTeacher(TeacherRuleSettings):
    """Cross-entropy, then the strongest teacher for the last stage."""

    name: Literal["last_teacher"]
    schedules_one = True

    def takes(self, teachers: tuple[str, ...]) -> tuple[str, ...]:
        return teachers[-1:]

    def least_stages(self, teachers: int, arm: str) -> Least:
        return Least(2, f"leave arm {arm!r} without a teacher until the last", "say teachers: strongest")


class TeacherRulePlugin(Plugin, TeacherRuleSettings):
    kind = "teacher rule"
    given = ("stage", "stages", "teachers")
    schedules_one = True

    def least_stages(self, teachers: int, arm: str) -> Least:
        """It may leave teachers out."""
        return super().least_stages(1, arm)


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
    | TeacherRulePlugin,
    Field(discriminator="name"),
    pluggable(TeacherRulePlugin),
    shorthand(only="teacher", by_difficulty="of"),
]
