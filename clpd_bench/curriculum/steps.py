"""How many optimizer steps a run has, which presentations make each, and which steps and teacher a stage has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clpd_bench.errors import UserError
from clpd_bench.settings.parts.training import Training


def stage_bounds(steps: int, stages: int) -> list[tuple[int, int]]:
    """First and last step (1-based, inclusive) of each stage: round((k-1)S/K)+1 .. round(kS/K).

    Halves round up, in whole numbers: Python's own rounding would depend on the float.
    """
    ends = [(2 * k * steps + stages) // (2 * stages) for k in range(stages + 1)]
    return [(ends[k - 1] + 1, ends[k]) for k in range(1, stages + 1)]


def stage_of_step(steps: int, stages: int) -> NDArray[np.int64]:
    """Shape [S]: the stage (1..K) of each step."""
    out = np.empty(steps, dtype=np.int64)
    for k, (first, last) in enumerate(stage_bounds(steps, stages), start=1):
        out[first - 1 : last] = k
    return out


def teacher_of_stage(stage: int, teachers: int, stages: int) -> int:
    """Of M teachers, weakest first, the one (1..M) who supervises stage k of K: ceil(kM/K).

    Raises:
        ValueError: K < M, which would leave a teacher out.
    """
    if stages < teachers:
        raise ValueError(f"{stages} stages cannot seat {teachers} teachers")
    return -(-stage * teachers // stages)


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
