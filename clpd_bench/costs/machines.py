"""What jobs run on, as far as costs depend on it: profiles of workers, and which job takes which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """What a worker of a profile has.

    Attributes:
        memory: bytes of a GPU, None where that is not known.
        gpus: may be a fraction, where workers share one.
        flops_a_second: that it is taken to reach in a precision, None where that is not known.
    """

    memory: float | None
    gpus: float
    flops_a_second: Callable[[str], float | None]


@dataclass(frozen=True)
class Machines:
    """Attributes:
    by_profile: {profile: what its workers have}.
    profile: of a key.
    ran_on: {key: the profile that it was last submitted with}.
    """

    by_profile: Mapping[str, Machine]
    profile: Callable[[str], str]
    ran_on: Mapping[str, str]
