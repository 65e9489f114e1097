"""Which steps a stage has, and which teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moment:
    """How far a run is: `step` of 1..`steps`, in `stage` of 1..`stages`."""

    step: int
    steps: int
    stage: int
    stages: int


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
