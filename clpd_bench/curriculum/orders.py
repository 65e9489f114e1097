"""Orders of the data: sequences of presentations, as positions in the corpus."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.rounding import controlled_rounding


def shuffled(examples: int, epochs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Shape [E N]: E random permutations of 0..N-1, one after the other."""
    return np.concatenate([rng.permutation(examples) for _ in range(epochs)]).astype(np.int64)


def blend_shares(stages: int, strength: float) -> NDArray[np.float64]:
    """Shape [K, K]: the share M[k, j] = (1 - strength)/K + strength [k = j] of bucket j's
    presentations that falls into stage k. Doubly stochastic for any strength in [0, 1]."""
    return np.full((stages, stages), (1 - strength) / stages) + strength * np.eye(stages)


def blended(buckets: NDArray[np.int64], strength: float, epochs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Shape [E N]: every example E times, stage after stage, random inside a stage.

    `buckets` holds 1..K by example. A bucket's presentations are E permutations of it one after the
    other, cut between the stages by `blend_shares`, so that an example's repeats are spread evenly.
    """
    stages = int(buckets.max())
    members = [np.flatnonzero(buckets == j) for j in range(1, stages + 1)]
    wanted = blend_shares(stages, strength) * [epochs * len(m) for m in members]
    cuts = np.cumsum(controlled_rounding(wanted), axis=0)[:-1]
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(stages)]
    for j, bucket in enumerate(members):
        visits = bucket[shuffled(len(bucket), epochs, rng)]
        for k, part in enumerate(np.split(visits, cuts[:, j])):
            parts[k].append(part)
    return np.concatenate([rng.permutation(np.concatenate(stage)) for stage in parts])
