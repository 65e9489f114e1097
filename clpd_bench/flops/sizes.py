"""How much is held, read and batched at a time: what jobs go by, and what their costs are worked out from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a number."""
FLOAT, HALF = WIDTHS["float32"], WIDTHS["bfloat16"]

LOSS_BATCH_TOKENS = 8192
"""Padded tokens of a batch whose responses are scored for a difficulty or an evaluation."""

CHUNK_ELEMENTS = {"cpu": 2**22, "cuda": 2**26}
"""Logits held at once, by the type of device, whatever the batch and the vocabulary: in float32 16 MB, and 268 MB. The
head is read, and its gradient written, once a chunk: a GPU that had 16 MB would do little else."""


def rows_of_chunk(vocabulary: int, device: str) -> int:
    """Response tokens whose logits are held at once."""
    return max(1, CHUNK_ELEMENTS[device] // vocabulary)


def micro_batches_of(
    tokens: NDArray[np.int64], padded_tokens: int, boundaries: Iterable[int] = ()
) -> Iterator[NDArray[np.int64]]:
    """Places of the rows of each micro-batch, see `by_length`.

    Args:
        tokens: of each row, its last one included, which predicts nothing and is not read.
        boundaries: lengths as they are read.
    """
    return by_length(tokens, padded_tokens, [boundary + 1 for boundary in boundaries])


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
