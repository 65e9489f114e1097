"""The schedule: which presentations make each optimizer step, and who supervises them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.material import Material
from clpd_bench.curriculum.orders import sequence
from clpd_bench.curriculum.stages import Moment, stage_of_step
from clpd_bench.curriculum.steps import number_of_steps
from clpd_bench.curriculum.streams import Streams
from clpd_bench.curriculum.teachers import teachers as supervisors
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision


class ConsumedHash:
    """A running hash of consumed presentations, in chunks of a step: equal for equal schedules,
    whatever slices a step into micro-batches or interrupts the run. Its state is 64 hex digits."""

    def __init__(self, state: str = "0" * 64) -> None:
        self.state = state

    def update(self, step: int, ids: NDArray[np.str_], teachers: NDArray[np.int64]) -> None:
        """One step's example ids, in the order of its global batch, each with its teacher."""
        text = "\n".join([self.state, str(step), *(f"{i} {t}" for i, t in zip(ids, teachers, strict=True))])
        self.state = hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Schedule:
    """P presentations in S steps over N examples.

    Attributes:
        ids: shape [N], example ids in ascending order.
        examples: shape [P], positions in `ids`, in the order of presentation.
        step: shape [P], the step (1..S) of each presentation, never falling.
        teacher: shape [P], the teacher (1 = weakest .. M) of each, 0 for none.
        stage: shape [S], the stage (1..K) of each step; all 1 where nothing goes by stage.
    """

    ids: NDArray[np.str_]
    examples: NDArray[np.int64]
    step: NDArray[np.int64]
    teacher: NDArray[np.int64]
    stage: NDArray[np.int64]

    @property
    def steps(self) -> int:
        return len(self.stage)

    def moment(self, step: int) -> Moment:
        return Moment(step, self.steps, int(self.stage[step - 1]), int(self.stage[-1]))

    def at(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(examples, teachers) of one step, in the order of its global batch."""
        rows = slice(*np.searchsorted(self.step, (step, step + 1)))
        return self.examples[rows], self.teacher[rows]

    def batches(self) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """(step, examples, teachers) of each step."""
        return ((step, *self.at(step)) for step in range(1, self.steps + 1))

    def consumed_hash(self, steps: int | None = None) -> str:
        """What `ConsumedHash` must hold after `steps` steps (all by default)."""
        running = ConsumedHash()
        for step, examples, teachers in self.batches():
            if steps is not None and step > steps:
                break
            running.update(step, self.ids[examples], teachers)
        return running.state


def build_schedule(
    ids: NDArray[np.str_],
    tokens: NDArray[np.int64],
    difficulty: NDArray[np.float64] | None,
    supervision: Supervision,
    training: Training,
    streams: Streams,
) -> Schedule:
    """The schedule of one training run, a function of its arguments alone.

    Args:
        ids: shape [N], ascending and distinct.
        tokens: shape [N], prompt + response + end.
        difficulty: shape [N], higher is harder; None where the order does not ask for it.
        streams: `Streams(seed)` for a student.

    Raises:
        UserError: an empty step, an empty bucket, a difficulty that orders nothing.
    """
    steps = number_of_steps(training, int(tokens.sum()) * training.epochs)
    material = Material(ids, tokens, difficulty, training.epochs, steps, streams)
    shown = sequence(supervision, material)
    stage = stage_of_step(steps, supervision.stages or 1)
    return Schedule(ids, shown.examples, shown.step, supervisors(supervision, material, shown), stage)
