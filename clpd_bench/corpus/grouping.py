"""Which rows lie together in a padded batch. numpy only, so that planning can afford it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def by_length(lengths: NDArray[np.int64], padded_tokens: int) -> Iterator[NDArray[np.int64]]:
    """Places of rows, the longest first: rows of like length lie together, and none of these groups but a single
    long row has more than `padded_tokens` tokens with its padding."""
    ordered = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(ordered):
        rows = max(1, padded_tokens // int(lengths[ordered[start]]))
        yield ordered[start : start + rows]
        start += rows
