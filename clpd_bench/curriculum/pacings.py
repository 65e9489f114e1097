"""Pacings: sequences of presentations, stage after stage, from buckets of difficulty."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.own import own_shares
from clpd_bench.curriculum.rounding import controlled_rounding
from clpd_bench.settings.pacing import Blend, Cumulative, Mixed, Partition
from clpd_bench.settings.plugin import Plugin

Ints = NDArray[np.int64]


def shuffled(examples: int, epochs: int, rng: np.random.Generator) -> Ints:
    """Shape [E N]: E random permutations of 0..N-1, one after the other."""
    return np.concatenate([rng.permutation(examples) for _ in range(epochs)]).astype(np.int64)


def blend_shares(stages: int, strength: float) -> list[list[Fraction]]:
    """Shape [K, K]: the share M[k][j] = (1 - strength)/K + strength [k = j] of bucket j's
    presentations that falls into stage k. Doubly stochastic for any strength in [0, 1], exactly:
    a strength is the decimal number that was written, not the float nearest to it."""
    own = Fraction(repr(float(strength)))
    return [[(1 - own) / stages + (own if k == j else 0) for j in range(stages)] for k in range(stages)]


def blended(buckets: Ints, strength: float, epochs: int, rng: np.random.Generator) -> Ints:
    """`distributed` by `blend_shares`."""
    return distributed(buckets, blend_shares(int(buckets.max()), strength), epochs, rng)


def distributed(buckets: Ints, shares: list[list[Fraction]], epochs: int, rng: np.random.Generator) -> Ints:
    """Shape [E N]: every example E times, stage after stage, random inside a stage.

    `buckets` holds 1..K by example. A bucket's presentations are E permutations of it one after the
    other, cut between the stages by `shares` (shape [K, K], stage by bucket, columns adding up to 1), so
    that an example's repeats are spread evenly.
    """
    stages = len(shares)
    members = [np.flatnonzero(buckets == j) for j in range(1, stages + 1)]
    wanted = [[share * epochs * len(m) for share, m in zip(row, members, strict=True)] for row in shares]
    cuts = np.cumsum(controlled_rounding(wanted), axis=0)[:-1]
    parts: list[list[Ints]] = [[] for _ in range(stages)]
    for j, bucket in enumerate(members):
        visits = bucket[shuffled(len(bucket), epochs, rng)]
        for k, part in enumerate(np.split(visits, cuts[:, j])):
            parts[k].append(part)
    return np.concatenate([rng.permutation(np.concatenate(stage)) for stage in parts])


def drawn(pool: Ints, tokens: Ints, wanted: float, rng: np.random.Generator) -> Ints:
    """The fewest presentations of `pool`, permuted anew for each pass, that hold `wanted` tokens."""
    parts, held = [np.empty(0, np.int64)], 0
    while held < wanted:
        visits = rng.permutation(pool)
        reached = np.cumsum(tokens[visits])
        parts.append(visits[: int(np.searchsorted(reached, wanted - held)) + 1])
        held += int(tokens[parts[-1]].sum())
    return np.concatenate(parts)


def replayed(buckets: Ints, tokens: Ints, replay: float, epochs: int, rng: np.random.Generator) -> Ints:
    """Stages of T/K tokens: the share `replay` from earlier buckets, the rest from the stage's own.

    What has been presented by the end of stage k lies less than one example above k T/K tokens.
    """
    stages, total = int(buckets.max()), int(tokens.sum()) * epochs
    held, out = 0, []
    for k in range(1, stages + 1):
        wanted = k * total / stages - held
        earlier = drawn(np.flatnonzero(buckets < k), tokens, replay * wanted if k > 1 else 0.0, rng)
        own = drawn(np.flatnonzero(buckets == k), tokens, wanted - int(tokens[earlier].sum()), rng)
        out.append(rng.permutation(np.concatenate([earlier, own])))
        held += int(tokens[out[-1]].sum())
    return np.concatenate(out)


def cumulated(buckets: Ints, tokens: Ints, epochs: int, rng: np.random.Generator) -> Ints:
    """Stages of T/K tokens, stage k from buckets 1..k, all examples of them alike; ends as `replayed`."""
    stages, total = int(buckets.max()), int(tokens.sum()) * epochs
    held, out = 0, []
    for k in range(1, stages + 1):
        out.append(drawn(np.flatnonzero(buckets <= k), tokens, k * total / stages - held, rng))
        held += int(tokens[out[-1]].sum())
    return np.concatenate(out)


def _blend(pacing: Blend, buckets: Ints, tokens: Ints, epochs: int, rng: np.random.Generator) -> Ints:
    return blended(buckets, pacing.strength, epochs, rng)


def _partition(pacing: Partition, buckets: Ints, tokens: Ints, epochs: int, rng: np.random.Generator) -> Ints:
    return blended(buckets, 1.0, epochs, rng)


def _cumulative(pacing: Cumulative, buckets: Ints, tokens: Ints, epochs: int, rng: np.random.Generator) -> Ints:
    return cumulated(buckets, tokens, epochs, rng)


def _mixed(pacing: Mixed, buckets: Ints, tokens: Ints, epochs: int, rng: np.random.Generator) -> Ints:
    return replayed(buckets, tokens, pacing.replay, epochs, rng)


def _own(pacing: Plugin, buckets: Ints, tokens: Ints, epochs: int, rng: np.random.Generator) -> Ints:
    return distributed(buckets, own_shares(pacing, int(buckets.max())), epochs, rng)


PACINGS: dict[str, Callable[[Any, Ints, Ints, int, np.random.Generator], Ints]] = {
    "blend": _blend,
    "partition": _partition,
    "cumulative": _cumulative,
    "mixed": _mixed,
    "plugin": _own,
}
"""(pacing, buckets by example in the order that stages open them, tokens, epochs, rng) -> presentations."""
