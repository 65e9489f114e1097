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

    name: Literal["easy_to_hard"]
    needs_difficulty = paced = True


class HardToEasy(OrderSettings):
    """The curriculum's pacing over the same buckets, the hardest first."""

    name: Literal["hard_to_easy"]
    needs_difficulty = paced = True


class RandomStages(OrderSettings):
    """The curriculum's pacing over buckets of random ranks."""

    name: Literal["random_stages"]
    paced = drawn = True


class ShuffledStages(OrderSettings):
    """The curriculum's pacing over the real buckets in a random order, for some seeds the ordered one."""

    name: Literal["shuffled_stages"]
    needs_difficulty = paced = drawn = True


class Permuted(OrderSettings):
    """Another arm's presentations, uniformly permuted: its exposure without its order."""

    name: Literal["permuted"]
    of: str
    drawn = True


class Homogeneous(OrderSettings):
    """The batches of easy_to_hard under the same curriculum, in random order."""

    name: Literal["homogeneous"]
    needs_difficulty = paced = drawn = True


Order = Annotated[
    Shuffled | EasyToHard | HardToEasy | RandomStages | ShuffledStages | Permuted | Homogeneous,
    Field(discriminator="name"),
    shorthand(permuted="of"),
]
