"""Curricula as data: ranks, buckets, pacing and teacher rules become one `Schedule`. numpy only.

Usable in any trainer: `build_schedule` says which example ids make each optimizer step and which
teacher supervises each of them.
"""

from clpd_bench.curriculum.buckets import difficulty_buckets
from clpd_bench.curriculum.exposure import Exposure, exposure
from clpd_bench.curriculum.schedule import ConsumedHash, Schedule, build_schedule
from clpd_bench.curriculum.stages import Moment, stage_of_step, teacher_of_stage
from clpd_bench.curriculum.streams import Streams

__all__ = [
    "ConsumedHash",
    "Exposure",
    "Moment",
    "Schedule",
    "Streams",
    "build_schedule",
    "difficulty_buckets",
    "exposure",
    "stage_of_step",
    "teacher_of_stage",
]
