"""An arm's exposure as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.reporting.quantities import share
from clpd_bench.reporting.schedules import NO_TEACHER, ArmSchedule


@dataclass(frozen=True)
class StageRow:
    """What a stage showed under a teacher, by bucket from the easiest."""

    stage: int
    teacher: str
    presentations: list[int]
    response_tokens: list[int]


@dataclass(frozen=True)
class ExposureRows:
    """An arm's stages, and their sums."""

    arm: str
    steps: int
    tokens: int
    rows: list[StageRow]
    presentations: list[int]
    response_tokens: list[int]
    by_stage: str
    by_teacher: str


def exposure_rows(arm: str, one: ArmSchedule) -> ExposureRows:
    shown, buckets = one.exposure, one.bucket_numbers
    rows = [
        StageRow(
            stage,
            one.teachers.get(teacher, NO_TEACHER),
            [shown.presentations.get((bucket, stage, teacher), 0) for bucket in buckets],
            [shown.response_tokens.get((bucket, stage, teacher), 0) for bucket in buckets],
        )
        for stage, teacher in sorted({(k, t) for _, k, t in shown.presentations})
    ]
    return ExposureRows(
        arm,
        shown.steps,
        shown.tokens,
        rows,
        [sum(row.presentations[bucket - 1] for row in rows) for bucket in buckets],
        [sum(row.response_tokens[bucket - 1] for row in rows) for bucket in buckets],
        " / ".join(share(value) for _, value in sorted(shown.learning_rate_by_stage.items())),
        ", ".join(
            f"{one.teachers.get(number, NO_TEACHER)} {share(value)}"
            for number, value in sorted(shown.learning_rate_by_teacher.items())
        ),
    )
