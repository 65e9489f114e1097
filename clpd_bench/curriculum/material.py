"""What orders, pacings and teacher rules work on: the examples, how hard they are, how long the run is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.buckets import difficulty_buckets, require_order
from clpd_bench.curriculum.streams import Streams


@dataclass(frozen=True)
class Material:
    """N examples and a run through them.

    Attributes:
        ids: shape [N], ascending and distinct.
        tokens: shape [N], prompt + response + end.
        difficulty: shape [N]; None where nothing asks for it.
        epochs, steps: of the run.
        streams: what is random is drawn from.
    """

    ids: NDArray[np.str_]
    tokens: NDArray[np.int64]
    difficulty: NDArray[np.float64] | None
    epochs: int
    steps: int
    streams: Streams

    def buckets(self, stages: int | None) -> NDArray[np.int64]:
        """Shape [N]: 1 (easiest) .. K.

        Raises:
            UserError: a difficulty that orders nothing, or an empty bucket.
        """
        assert self.difficulty is not None
        assert stages
        require_order(self.difficulty, stages)
        return difficulty_buckets(self.ids, self.difficulty, self.tokens, stages)


@dataclass(frozen=True)
class Sequence:
    """P presentations: their examples, and the step (1..S, never falling) of each."""

    examples: NDArray[np.int64]
    step: NDArray[np.int64]
