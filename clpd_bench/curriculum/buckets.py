"""Examples ranked by difficulty and cut into buckets of equal tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clpd_bench.errors import UserError


def difficulty_buckets(
    ids: NDArray[np.str_], difficulty: NDArray[np.float64], tokens: NDArray[np.int64], stages: int
) -> NDArray[np.int64]:
    """Shape [N]: the bucket (1 = easiest .. K) of each example.

    Ranks by difficulty, ties by example id; the ranked list is cut at equal tokens: the example whose
    inclusive cumulative tokens are c, of T in all, goes to bucket ceil(cK/T).

    Raises:
        UserError: a bucket stays empty (fewer examples than stages, or one example that fills several).
    """
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
