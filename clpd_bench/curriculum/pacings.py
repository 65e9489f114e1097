"""Pacings: sequences of presentations, stage after stage, from buckets of difficulty; and their rounding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.plugin_rules import own_shares
from clpd_bench.settings.parts.pacings import Blend, Cumulative, Mixed, PacingPlugin, Partition


def controlled_rounding(matrix: Sequence[Sequence[Fraction]]) -> NDArray[np.int64]:
    """A whole-number matrix, each entry the floor or ceiling of the given one, whose column sums are
    exact and whose row sums are the floor or ceiling of the given row sums.

    The columns of `matrix` must add up to whole numbers; exactly, hence fractions: with floats, sums
    that ought to be whole are not. A cycle of fractional entries is found and pushed until one of
    them is whole, as often as needed (Cox 1987, "A constructive procedure for unbiased controlled
    rounding"; here always in the same direction, so the result is a function of the matrix).
    """
    # A column of its own makes the row sums whole.
    values = np.array([[*row, math.ceil(sum(row)) - sum(row)] for row in matrix], dtype=object)
    while True:
        fractional = values % 1 != 0
        if not fractional.any():
            return values[:, :-1].astype(np.int64)
        rows_of, columns_of = map(list, zip(*_cycle(fractional), strict=True))
        up = np.arange(len(rows_of)) % 2 == 0
        entries = values[rows_of, columns_of]
        room = np.where(up, -entries % 1, entries % 1).min()  # how far to the next whole number
        values[rows_of, columns_of] += np.where(up, room, -room)


def _cycle(fractional: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Cells along which steps within a row and within a column take turns, back to the start.

    Rows and columns are the nodes of a bipartite graph, fractional cells its edges. A walk that never
    takes the edge it came by must close: a line with a whole sum and one fractional cell has another.
    """
    node = (0, int(np.argwhere(fractional)[0][0]))
    nodes, edges = [node], list[tuple[int, int]]()
    while True:
        axis, index = node
        line = fractional[index] if axis == 0 else fractional[:, index]
        cells = [(index, int(i)) if axis == 0 else (int(i), index) for i in np.flatnonzero(line)]
        cell = next(c for c in cells if not edges or c != edges[-1])
        edges.append(cell)
        node = (1 - axis, cell[1 - axis])
        if node in nodes:
            return edges[nodes.index(node) :]
        nodes.append(node)


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


def _own(pacing: PacingPlugin, buckets: Ints, tokens: Ints, epochs: int, rng: np.random.Generator) -> Ints:
    return distributed(buckets, own_shares(pacing, int(buckets.max())), epochs, rng)


PACINGS: dict[str, Callable[[Any, Ints, Ints, int, np.random.Generator], Ints]] = {
    "blend": _blend,
    "partition": _partition,
    "cumulative": _cumulative,
    "mixed": _mixed,
    "plugin": _own,
}
"""(pacing, buckets by example in the order that stages open them, tokens, epochs, rng) -> presentations."""
