"""A schedule over a corpus as ready batches: what a training loop, ours or another, steps through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.curriculum.stages import Moment
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batches import MicroBatch, micro_batches
from clpd_bench.distillation.models import draws_in_training, length_boundaries
from clpd_bench.distillation.supervisors import Supervisors, Teacher
from clpd_bench.distillation.vocabulary import Vocabulary


@dataclass(frozen=True)
class SupervisedBatch:
    """A micro-batch, and all that its loss depends on beside the model.

    Attributes:
        rows: B rows with R response tokens.
        supervisors: of its rows.
        normaliser: response tokens of the whole global batch.
        moment: when it is.
        seed: of what the model draws; None where it draws nothing.
    """

    rows: MicroBatch
    supervisors: Supervisors
    normaliser: int
    moment: Moment
    seed: int | None


@dataclass(frozen=True)
class GlobalBatch:
    """The P presentations of one optimizer step.

    Attributes:
        moment: which step.
        ids: shape [P], example ids.
        teachers: shape [P], who supervises each: 1 (weakest) .. M, or 0 for nobody.
        tokens, response_tokens: presented.
        seed: of what is drawn in this step beside what a micro-batch has a seed for.
        sliced: see `micro_batches`.
    """

    moment: Moment
    ids: NDArray[np.str_]
    teachers: NDArray[np.int64]
    tokens: int
    response_tokens: int
    seed: int
    sliced: Callable[[], Iterator[SupervisedBatch]]

    def micro_batches(self) -> Iterator[SupervisedBatch]:
        """All presentations, in slices, each made when it is asked for; live teachers read it then."""
        return self.sliced()

    def shown(self, places: NDArray[np.int64]) -> tuple[int, NDArray[np.str_], NDArray[np.int64]]:
        """(step, ids, teachers) of the presentations at these places: what `ConsumedHash.update` takes."""
        return self.moment.step, self.ids[places], self.teachers[places]


class Batches(Protocol):
    """Where a run's batches come from.

    Attributes:
        steps: of the run.
        draws: whether the student draws random numbers in training.
    """

    steps: int
    draws: bool

    def at(self, step: int) -> GlobalBatch:
        """Args:
        step: 1..`steps`.
        """
        ...


class ScheduledBatches:
    """A schedule's presentations of a split. Any step can be asked for at any time, and is the same each time.

    A model that draws random numbers in training gets one presentation a micro-batch, each with a seed of its own:
    what is drawn then knows nothing of how a batch is sliced.

    Args:
        model: who is trained; says where micro-batches lie and how rows may lie together.
        teachers: stored targets or live teachers, from the weakest (the schedule's 1) to the strongest; None for a
            loss that asks none.
        micro_batch_tokens: padded tokens in one forward pass.

    Raises:
        ValueError: a teacher over another vocabulary, or fewer teachers than the schedule has.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        split: Split,
        schedule: Schedule,
        teachers: Sequence[Teacher] | None,
        vocabulary: Vocabulary,
        streams: Streams,
        micro_batch_tokens: int = 8192,
    ) -> None:
        for teacher in teachers or ():
            if teacher.vocabulary_size != vocabulary.size:
                raise ValueError(
                    f"targets over {teacher.vocabulary_size} tokens cannot teach a model over {vocabulary.size}"
                )
        if teachers is not None and schedule.teacher.max() > len(teachers):
            raise ValueError(
                f"the schedule has teacher {schedule.teacher.max()}, and there are {len(teachers)} teachers"
            )
        self.steps, self.draws = schedule.steps, draws_in_training(model)
        self._model, self._split, self._schedule, self._teachers = model, split, schedule, teachers
        self._streams = streams
        readers = [model, *(teacher.model for teacher in teachers or () if teacher.model is not None)]
        self._sliced = partial(
            micro_batches,
            split,
            padded_tokens=1 if self.draws else micro_batch_tokens,
            pad_id=vocabulary.pad_id,
            boundaries={length for reader in readers for length in length_boundaries(reader)},
        )

    def at(self, step: int) -> GlobalBatch:
        examples, teachers = self._schedule.at(step)
        moment, normaliser = self._schedule.moment(step), int(self._split.responses.lengths[examples].sum())

        def sliced() -> Iterator[SupervisedBatch]:
            for rows in self._sliced(examples, device=self._model.device):
                seed = self._streams.seed_of("dropout", step, int(rows.places[0])) if self.draws else None
                supervisors = Supervisors(rows, teachers[rows.places], self._teachers)
                yield SupervisedBatch(rows, supervisors, normaliser, moment, seed)

        return GlobalBatch(
            moment,
            self._split.ids[examples],
            teachers,
            int(self._split.tokens[examples].sum()),
            normaliser,
            self._streams.seed_of("dropout", step),
            sliced,
        )
