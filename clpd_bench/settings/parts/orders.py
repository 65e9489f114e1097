"""Orders of the data: the explicit curriculum."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from clpd_bench.settings.base import shorthand
from clpd_bench.settings.parts.curriculum import ArmCurriculum


class OrderSettings(ArmCurriculum):
    """`of_arm` is the arm whose presentations it takes."""

    paced: ClassVar[bool] = False
    """Whether the curriculum's pacing makes it, stage after stage."""


class Shuffled(OrderSettings):
    """One random permutation of the data an epoch."""

    name: Literal["shuffled"]


class EasyToHard(OrderSettings):
    """The curriculum's pacing over buckets of growing difficulty."""

    needs_difficulty = paced = True

    name: Literal["easy_to_hard"]


class HardToEasy(OrderSettings):
    """The curriculum's pacing over the same buckets, the hardest first."""

    needs_difficulty = paced = True

    name: Literal["hard_to_easy"]


class RandomStages(OrderSettings):
    """The curriculum's pacing over buckets of random ranks."""

    paced = drawn = True

    name: Literal["random_stages"]


class ShuffledStages(OrderSettings):
    """The curriculum's pacing over the real buckets in a random order, for some seeds the ordered one."""

    needs_difficulty = paced = drawn = True

    name: Literal["shuffled_stages"]


class Permuted(OrderSettings):
    """Another arm's presentations, uniformly permuted: its exposure without its order."""

    drawn = True

    name: Literal["permuted"]
    of: str

    @property
    def of_arm(self) -> str:
        return self.of


class Homogeneous(OrderSettings):
    """The batches of easy_to_hard under the same curriculum, in random order."""

    needs_difficulty = paced = drawn = True

    name: Literal["homogeneous"]


Order = Annotated[
    Shuffled | EasyToHard | HardToEasy | RandomStages | ShuffledStages | Permuted | Homogeneous,
    Field(discriminator="name"),
    shorthand(permuted="of"),
]
