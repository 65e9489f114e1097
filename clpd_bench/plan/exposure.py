"""What each arm's schedule will show, counted before anything is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.buckets import difficulty_buckets
from clpd_bench.curriculum.exposure import Exposure, exposure
from clpd_bench.curriculum.schedule import build_schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.errors import UserError
from clpd_bench.grid import Cell
from clpd_bench.plan.supervision import supervision_of
from clpd_bench.settings.curriculum import written


def cell_exposure(
    cell: Cell,
    teachers: tuple[str, ...],
    ids: NDArray[np.str_],
    tokens: NDArray[np.int64],
    response_tokens: NDArray[np.int64],
    difficulty: NDArray[np.float64] | None,
) -> Exposure:
    """Counts the very schedule that the cell's model job will build; arrays have shape [N].

    Raises:
        UserError: the schedule cannot be built (an empty step, an empty bucket, a difficulty that orders nothing).
    """
    supervision = supervision_of(cell, teachers)
    try:
        schedule = build_schedule(ids, tokens, difficulty, supervision, cell.student.training, Streams(cell.seed))
    except UserError as error:
        key = f"student.{error.key}" if error.key == "training" else error.key
        by = cell.curriculum.difficulty
        where = f"arm {cell.arm_name!r}" + (f", difficulty {written(by)}" if by else "")
        raise UserError(f"{error.message} ({where})", key=key, fix=error.fix) from None
    stages = cell.curriculum.stages
    buckets = difficulty_buckets(ids, difficulty, tokens, stages)
    return exposure(schedule, buckets, difficulty, tokens, response_tokens, cell.student.training, stages)
