"""Orders of the data: sequences of presentations, as positions in the corpus."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.rounding import controlled_rounding


def shuffled(examples: int, epochs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Shape [E N]: E random permutations of 0..N-1, one after the other."""
    return np.concatenate([rng.permutation(examples) for _ in range(epochs)]).astype(np.int64)


def blend_shares(stages: int, strength: float) -> list[list[Fraction]]:
    """Shape [K, K]: the share M[k][j] = (1 - strength)/K + strength [k = j] of bucket j's
    presentations that falls into stage k. Doubly stochastic for any strength in [0, 1], exactly:
    a strength is the decimal number that was written, not the float nearest to it."""
    own = Fraction(repr(float(strength)))
    return [[(1 - own) / stages + (own if k == j else 0) for j in range(stages)] for k in range(stages)]


def blended(buckets: NDArray[np.int64], strength: float, epochs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Shape [E N]: every example E times, stage after stage, random inside a stage.

    `buckets` holds 1..K by example. A bucket's presentations are E permutations of it one after the
    other, cut between the stages by `blend_shares`, so that an example's repeats are spread evenly.
    """
    stages = int(buckets.max())
    members = [np.flatnonzero(buckets == j) for j in range(1, stages + 1)]
    wanted = [
        [share * epochs * len(m) for share, m in zip(row, members, strict=True)]
        for row in blend_shares(stages, strength)
    ]
    cuts = np.cumsum(controlled_rounding(wanted), axis=0)[:-1]
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(stages)]
    for j, bucket in enumerate(members):
        visits = bucket[shuffled(len(bucket), epochs, rng)]
        for k, part in enumerate(np.split(visits, cuts[:, j])):
            parts[k].append(part)
    return np.concatenate([rng.permutation(np.concatenate(stage)) for stage in parts])
