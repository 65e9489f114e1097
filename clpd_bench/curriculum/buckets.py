"""Examples ranked by difficulty and cut into buckets of equal tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clpd_bench.errors import UserError

NAMED = 3
"""Values of a difficulty that an error about it lists."""


@dataclass(frozen=True)
class Bucket:
    """How hard a bucket's examples are.

    Attributes:
        examples: how many.
        quartiles: 25, 50 and 75 % of their difficulties, between two of them by a straight line.
        tied: those that are exactly as hard as some example of another bucket: the edge between the two cuts
            among equals, by id.
    """

    examples: int
    quartiles: tuple[float, float, float]
    tied: int


def difficulty_buckets(
    ids: NDArray[np.str_], difficulty: NDArray[np.float64] | None, tokens: NDArray[np.int64], stages: int
) -> NDArray[np.int64]:
    """Shape [N]: the bucket (1 = easiest .. K) of each example; one bucket where there is no difficulty.

    Ranks by difficulty, ties by example id; the ranked list is cut at equal tokens: the example whose
    inclusive cumulative tokens are c, of T in all, goes to bucket ceil(cK/T).

    Raises:
        UserError: a bucket stays empty (fewer examples than stages, or one example that fills several).
    """
    if difficulty is None:
        return np.ones(len(ids), dtype=np.int64)
    ranked = np.lexsort((ids, difficulty))
    cumulative = np.cumsum(tokens[ranked])
    buckets = np.empty(len(ids), dtype=np.int64)
    buckets[ranked] = -(-cumulative * stages // cumulative[-1])
    empty = set(range(1, stages + 1)) - set(buckets.tolist())
    if empty:
        raise UserError(
            f"bucket {min(empty)} of {stages} holds no example ({len(ids)} examples in all)",
            key="curriculum.stages",
            fix="Use fewer stages or more examples",
        )
    return buckets


def require_order(difficulty: NDArray[np.float64], stages: int) -> None:
    """
    Raises:
        UserError: all examples are equally hard, or there are fewer values than stages: which bucket an example is in
            would be decided by its id.
    """
    values = np.unique(difficulty)
    if len(values) >= max(stages, 2):
        return
    listed = ", ".join(f"{value:g}" for value in values[:NAMED]) + (", ..." if len(values) > NAMED else "")
    many = f"{len(values)} value{'s' if len(values) > 1 else ''}"
    raise UserError(
        f"the difficulty has {many} ({listed}) over {len(difficulty)} training examples and cannot order them into "
        f"{stages} stage{'s' if stages > 1 else ''}: examples of one value would be told apart by their ids alone",
        key="curriculum.difficulty",
        fix=(f"Set curriculum.stages to {len(values)} or fewer, or name" if len(values) > 1 else "Name")
        + " another difficulty; arms whose order is shuffled need none",
    )


def bucket_difficulties(difficulty: NDArray[np.float64], buckets: NDArray[np.int64]) -> tuple[Bucket, ...]:
    """Of each bucket, from the easiest; both arguments have shape [N]."""
    values, place = np.unique(difficulty, return_inverse=True)
    held = np.zeros((int(buckets.max()), len(values)), dtype=bool)
    held[buckets - 1, place] = True
    tied = (held.sum(axis=0) > 1)[place]
    out = []
    for bucket in range(1, len(held) + 1):
        mine = buckets == bucket
        low, middle, high = np.quantile(difficulty[mine], [0.25, 0.5, 0.75]).tolist()
        out.append(Bucket(int(mine.sum()), (low, middle, high), int(tied[mine].sum())))
    return tuple(out)
