"""Which rows lie together in a padded batch. numpy only, so that planning can afford it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


def by_length(
    lengths: NDArray[np.int64], padded_tokens: int, boundaries: Iterable[int] = ()
) -> Iterator[NDArray[np.int64]]:
    """Places of rows, the longest first: rows of like length lie together, and none of these groups but a single
    long row has more than `padded_tokens` tokens with its padding.

    Args:
        boundaries: lengths; a longer row and one that is not lie in different groups.
    """
    ordered = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(ordered):
        longest = int(lengths[ordered[start]])
        ends = [int((lengths > boundary).sum()) for boundary in boundaries if longest > boundary]
        end = min([start + max(1, padded_tokens // longest), *ends])
        yield ordered[start:end]
        start = end
