"""What a schedule shows: presentations, tokens and learning rate by bucket, stage and teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.buckets import Bucket, bucket_difficulties
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.curriculum.stages import stage_of_step
from clpd_bench.settings.parts.training import Training


@dataclass(frozen=True)
class Exposure:
    """Counts of one arm's schedule, against the K stages and buckets common to all arms.

    Attributes:
        presentations: {(bucket, stage, teacher): presentations}, teacher 0 for none.
        response_tokens: likewise, response tokens with the end token.
        tokens: prompt + response + end tokens presented in all (T).
        steps: optimizer steps (S).
        learning_rate_by_stage: {stage: share of the summed learning rate}.
        learning_rate_by_teacher: {teacher: share}.
        difficulty: how hard each bucket is, from the easiest; empty where there is no difficulty.
    """

    presentations: dict[tuple[int, int, int], int]
    response_tokens: dict[tuple[int, int, int], int]
    tokens: int
    steps: int
    learning_rate_by_stage: dict[int, float]
    learning_rate_by_teacher: dict[int, float]
    difficulty: tuple[Bucket, ...]


def exposure(
    schedule: Schedule,
    buckets: NDArray[np.int64],
    difficulty: NDArray[np.float64] | None,
    tokens: NDArray[np.int64],
    response_tokens: NDArray[np.int64],
    training: Training,
    stages: int,
) -> Exposure:
    """Counts `schedule`; `buckets`, `difficulty`, `tokens` and `response_tokens` have shape [N]."""
    stage = stage_of_step(schedule.steps, stages)
    rates = np.array([training.learning_rate_at(s, schedule.steps) for s in range(1, schedule.steps + 1)])
    shown = tokens[schedule.examples]
    # A step with two teachers splits its learning rate between them by tokens.
    weight = shown / np.bincount(schedule.step, weights=shown)[schedule.step] * rates[schedule.step - 1]
    groups = np.stack([buckets[schedule.examples], stage[schedule.step - 1], schedule.teacher], axis=1)
    presentations: dict[tuple[int, int, int], int] = {}
    responses: dict[tuple[int, int, int], int] = {}
    kinds, inverse = np.unique(groups, axis=0, return_inverse=True)
    for i, (bucket, k, teacher) in enumerate(kinds.tolist()):
        rows = inverse == i
        presentations[bucket, k, teacher] = int(rows.sum())
        responses[bucket, k, teacher] = int(response_tokens[schedule.examples[rows]].sum())
    return Exposure(
        presentations,
        responses,
        int(shown.sum()),
        schedule.steps,
        {int(k): float(rates[stage == k].sum() / rates.sum()) for k in np.unique(stage)},
        {int(t): float(weight[schedule.teacher == t].sum() / rates.sum()) for t in np.unique(schedule.teacher)},
        () if difficulty is None else bucket_difficulties(difficulty, buckets),
    )
