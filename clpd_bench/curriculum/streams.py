"""Random streams by owner, purpose and seed: drawing from one never moves another, and no two owners share one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from clpd_bench.settings.specs import STUDENT, ModelSpec


@dataclass(frozen=True)
class Streams:
    """The streams of one model: `init`, `order`, `dropout`, ...

    Attributes:
        owner: `STUDENT` for every student, whatever its settings, so that arms, tuned arms and grid points of a
            seed are pairs; for any other model what identifies its settings, so that no teacher has by accident
            the weights or the order of a student, or of another model.
    """

    seed: int
    owner: str = STUDENT

    @classmethod
    def of(cls, spec: ModelSpec) -> Streams:
        """Those of the model that a job makes."""
        return cls(spec.seed, spec.owner)

    def seed_of(self, purpose: str, *counters: int) -> int:
        """A 63-bit seed for a stream."""
        text = "/".join(map(str, (self.owner, self.seed, purpose, *counters)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def generator(self, purpose: str, *counters: int) -> np.random.Generator:
        """A numpy generator on a stream; Philox, so equal on every platform."""
        return np.random.Generator(np.random.Philox(self.seed_of(purpose, *counters)))
