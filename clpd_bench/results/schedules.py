"""Each arm's schedule (first seed), rebuilt from the store, and what it shows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clpd_bench.corpus.reader import Split, read_difficulty, read_split
from clpd_bench.curriculum.buckets import difficulty_buckets
from clpd_bench.curriculum.exposure import Exposure, exposure
from clpd_bench.curriculum.schedule import Schedule, build_schedule
from clpd_bench.curriculum.stages import stage_bounds
from clpd_bench.curriculum.streams import Streams
from clpd_bench.grid.cells import Cell, cells
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.supervision import supervision_of, teachers_of
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.store import Store

NO_TEACHER = "no teacher"


@dataclass(frozen=True)
class StageSpan:
    """The steps `first` to `last` of a stage (or of several), and who teaches in it."""

    first: int
    last: int
    teachers: str


@dataclass(frozen=True)
class ArmSchedule:
    """Attributes:
    seed: the first one; `schedule` and `exposure` are its own.
    buckets, tokens: shape [N], the bucket and the tokens of each example.
    stages: K.
    teachers: {number in the schedule: name} of those who teach, 0 for nobody.
    spans: the stages, which are the same steps in every arm.
    """

    seed: int
    schedule: Schedule
    exposure: Exposure
    buckets: NDArray[np.int64]
    tokens: NDArray[np.int64]
    stages: int
    teachers: dict[int, str]
    spans: list[StageSpan]

    @property
    def bucket_numbers(self) -> range:
        """1 (easiest) .. K; 1 alone where there is no difficulty."""
        return range(1, int(self.buckets.max()) + 1)


def arm_schedules(ablation: Ablation, plan: Plan, store: Store) -> tuple[dict[str, ArmSchedule], list[str]]:
    """By arm, and a sentence for each arm whose data is not in the store."""

    @functools.cache
    def split(key: str) -> Split:
        return read_split(store.artifact(key), "train")

    found: dict[str, ArmSchedule] = {}
    absent: list[str] = []
    for cell in cells(ablation, plan.name):
        if cell.seed != ablation.seeds[0]:
            continue
        data = plan.arm_data.get(cell.arm_name, {})
        if not data or not all(store.is_done(key) for key in data.values()):
            absent.append(f"The exposure of {cell.arm_name} is not known: its corpus is not in the store.")
            continue
        difficulty = read_difficulty(store.artifact(data["difficulty"]), "train") if "difficulty" in data else None
        found[cell.arm_name] = arm_schedule(cell, ablation.teachers, split(data["corpus"]), difficulty)
    return found, absent


def arm_schedule(
    cell: Cell, teachers: tuple[str, ...], split: Split, difficulty: NDArray[np.float64] | None
) -> ArmSchedule:
    """The schedule that the cell's model job builds of these arrays, and what it shows."""
    training, stages = cell.student.training, cell.curriculum.stages
    streams = Streams(cell.seed)
    schedule = build_schedule(split.ids, split.tokens, difficulty, supervision_of(cell, teachers), training, streams)
    buckets = difficulty_buckets(split.ids, difficulty, split.tokens, stages)
    shown = exposure(schedule, buckets, difficulty, split.tokens, split.responses.lengths, training, stages)
    names = (NO_TEACHER, *teachers_of(cell, teachers))
    mine = {number: names[number] for number in np.unique(schedule.teacher).tolist()}
    return ArmSchedule(cell.seed, schedule, shown, buckets, split.tokens, stages, mine, _spans(schedule, stages, mine))


def token_shares(
    one: ArmSchedule, labels: NDArray[np.int64], values: Sequence[int], edges: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Shape [len(values), W]: each label's share of the tokens of a window of steps.

    Args:
        labels: shape [P], a label for each presentation.
        edges: shape [W + 1]; window w holds the steps edges[w] + 1 to edges[w + 1].
    """
    place = np.searchsorted(edges, one.schedule.step, side="left") - 1
    tokens = one.tokens[one.schedule.examples]
    sums = np.array([np.bincount(place[labels == v], tokens[labels == v], minlength=len(edges) - 1) for v in values])
    shares: NDArray[np.float64] = sums / sums.sum(axis=0)
    return shares


def _spans(schedule: Schedule, stages: int, teachers: dict[int, str]) -> list[StageSpan]:
    spans = []
    for first, last in stage_bounds(schedule.steps, stages):
        rows = (schedule.step >= first) & (schedule.step <= last)
        numbers = np.unique(schedule.teacher[rows]).tolist()
        names = " + ".join(teachers.get(number, NO_TEACHER) for number in numbers)
        spans.append(StageSpan(first, last, names))
    return spans


def merged(spans: Sequence[StageSpan]) -> list[StageSpan]:
    """Neighbouring stages with the same teachers as one."""
    out: list[StageSpan] = []
    for span in spans:
        if out and out[-1].teachers == span.teachers:
            out[-1] = StageSpan(out[-1].first, span.last, span.teachers)
        else:
            out.append(span)
    return out
