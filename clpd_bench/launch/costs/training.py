"""What a training run goes through: its schedule's batches, its looks at the validation split, its teachers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clpd_bench.corpus.reader import read_difficulty
from clpd_bench.curriculum.schedule import Schedule, build_schedule
from clpd_bench.curriculum.stages import stage_of_step, teacher_of_stage
from clpd_bench.curriculum.steps import number_of_steps
from clpd_bench.curriculum.streams import Streams
from clpd_bench.launch.costs.texts import Texts, passes
from clpd_bench.plan.cost.read import Largest, Read
from clpd_bench.plan.plan import Job
from clpd_bench.plan.supervision import needs_difficulty
from clpd_bench.settings.curriculum import Shuffled
from clpd_bench.settings.looks import BestValidation
from clpd_bench.settings.specs import ModelSpec, Supervision
from clpd_bench.settings.training import Training
from clpd_bench.store import Store


@dataclass(frozen=True)
class Run:
    """Attributes:
    read, largest: of the training steps.
    by_teacher: what of it each teacher supervises, by its number from 1.
    looks: passes over the validation split.
    estimated: whether lengths are expected, or the difficulty that decides the order is not there yet.
    """

    read: Read
    largest: Largest
    by_teacher: dict[int, Read]
    looks: int
    estimated: bool


def run_of(job: Job, spec: ModelSpec, texts: Texts, store: Store) -> Run:
    """Of a model job that trains. A `stop` may end it sooner."""
    training, supervision = spec.training, spec.supervision
    assert training
    assert supervision
    padded = training.micro_batch_tokens
    if texts.estimated:
        shown = np.zeros(len(texts) * training.epochs, dtype=np.int64)
        steps = number_of_steps(training, round(float(texts.tokens.sum()) * training.epochs))
        batches = np.array_split(shown, steps)
        read, largest = passes(texts, batches, padded)
        shares = _shares(supervision, steps)
        return Run(read, largest, {m: read * share for m, share in shares.items()}, _looks(training, steps), True)
    schedule, as_planned = _schedule(job, spec, supervision, training, texts, store)
    read, largest = passes(texts, (examples for _, examples, _ in schedule.batches()), padded)
    taught = {
        m: passes(texts, _taught(schedule, m), padded)[0]
        for m in range(1, supervision.teachers + 1)
        if (schedule.teacher == m).any()
    }
    return Run(read, largest, taught, _looks(training, schedule.steps), not as_planned)


def _schedule(
    job: Job, spec: ModelSpec, supervision: Supervision, training: Training, texts: Texts, store: Store
) -> tuple[Schedule, bool]:
    """The job's own; where its difficulty is not there yet, one of shuffled order, and False."""
    difficulty = None
    as_planned = not needs_difficulty(supervision)
    if not as_planned and store.is_done(job.parents["difficulty"]):
        difficulty, as_planned = read_difficulty(store.artifact(job.parents["difficulty"]), "train"), True
    if not as_planned:
        supervision = Supervision(
            order=Shuffled(name="shuffled"), stages=supervision.stages, teachers=supervision.teachers
        )
    tokens = texts.tokens.astype(np.int64)
    return build_schedule(texts.ids, tokens, difficulty, supervision, training, Streams.of(spec)), as_planned


def _taught(schedule: Schedule, teacher: int) -> list[NDArray[np.int64]]:
    """What this teacher supervises of each step. Its rows are a part of the student's micro-batches, padded as these
    are; padded among themselves here, which leaves a little out where teachers mix within a step."""
    mine = (examples[teachers == teacher] for _, examples, teachers in schedule.batches())
    return [examples for examples in mine if len(examples)]


def _looks(training: Training, steps: int) -> int:
    """At the beginning, at the end, and in between as often as anything asks for them."""
    chosen = training.checkpoint if isinstance(training.checkpoint, BestValidation) else None
    asking = [one for one in (training.stop, training.early_stopping, chosen) if one is not None]
    return len({0, steps, *(step for one in asking for step in range(one.every, steps + 1, one.every))})


def _shares(supervision: Supervision, steps: int) -> dict[int, float]:
    """Of the steps, each teacher's, weakest first in turn; of other rules, equal ones."""
    teachers = supervision.teachers
    if teachers < 2 or supervision.rule is not None or not supervision.stages:
        return dict.fromkeys(range(1, teachers + 1), 1 / max(teachers, 1))
    stages = stage_of_step(steps, supervision.stages)
    by = np.array([teacher_of_stage(int(k), teachers, supervision.stages) for k in stages])
    return {m: float((by == m).mean()) for m in range(1, teachers + 1)}
