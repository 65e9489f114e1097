"""How many optimizer steps a run has, and which presentations make each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clpd_bench.errors import UserError
from clpd_bench.settings.parts.training import Training


def number_of_steps(training: Training, presented_tokens: int) -> int:
    """S: `steps`, or ceil(T / tokens_per_step)."""
    return training.steps or -(-presented_tokens // (training.tokens_per_step or 1))


def assign_steps(tokens: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """Shape [P]: the presentation whose inclusive cumulative tokens are c goes to step ceil(cS/T).

    Every order of the same presentations so has exactly S steps, each within one example of T/S.

    Raises:
        UserError: a step would be empty.
    """
    cumulative = np.cumsum(tokens)
    step: NDArray[np.int64] = -(-cumulative * steps // cumulative[-1])
    empty = np.setdiff1d(np.arange(1, steps + 1), step)
    if len(empty):
        raise UserError(
            f"step {empty[0]} of {steps} would be empty: {cumulative[-1]} tokens in {len(tokens)} presentations "
            f"are {cumulative[-1] / steps:.1f} tokens a step, fewer than some example has",
            key="training",
            fix="Ask for fewer steps, more tokens_per_step or more epochs",
        )
    return step
