"""Before any training: the corpora made, each arm's exposure counted, and everything checked that needs their data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clpd_bench.corpus.reader import Split, read_difficulty, read_split
from clpd_bench.curriculum.buckets import difficulty_buckets
from clpd_bench.curriculum.exposure import Exposure, exposure
from clpd_bench.curriculum.schedule import build_schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.errors import UserError
from clpd_bench.grid.cells import Cell, cells
from clpd_bench.launch.checks import refuse_leaks, refuse_leaky_tasks, refuse_lost_gold, refuse_validation_leaks
from clpd_bench.launch.fetch import fetch_all, require_pinned
from clpd_bench.launch.worker import work
from clpd_bench.plan.plan import Job, Plan, PointPlan
from clpd_bench.plan.supervision import supervision_of
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.curriculum import shorthand_of
from clpd_bench.settings.specs import ModelSpec
from clpd_bench.store import Store


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
        where = f"arm {cell.arm_name!r}" + (f", difficulty {shorthand_of(by)}" if by else "")
        raise error.at(message=f"{error.message} ({where})", key=key) from None
    stages = cell.curriculum.stages
    buckets = difficulty_buckets(ids, difficulty, tokens, stages)
    return exposure(schedule, buckets, difficulty, tokens, response_tokens, cell.student.training, stages)


DATA_KINDS = ("corpus", "difficulty")


def data_keys(plan: Plan) -> list[str]:
    """Keys of the jobs that need no model."""
    return [
        key
        for key, job in plan.jobs.items()
        if job.kind in DATA_KINDS and all(plan.jobs[needed].kind in DATA_KINDS for needed in plan.ancestors(key))
    ]


def data_exists(plan: Plan, store: Store) -> bool:
    return all(store.is_done(key) for key in data_keys(plan))


def make_data(plan: Plan, store: Store, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Makes corpora and difficulties in this process, whatever became of earlier tries; before, fetches what they
    need of the hub.

    Raises:
        UserError: something of the hub's is not pinned or cannot be had; or what is wrong with the data, as the job
            said it.
    """
    keys = data_keys(plan)
    require_pinned(plan, todo=keys)
    fetch_all(plan, store, keys)
    for key in keys:
        store.retry(key)
    work(plan, store, keys, should_stop)
    for key in keys:
        last = store.last_attempt(key)
        if store.state(key) == "failed" and last and last.failure:
            failure, label = last.failure, plan.jobs[key].label
            if failure["type"] == "UserError":
                raise UserError(f"{label}: {failure['message']}")
            raise UserError(f"{label} failed: {failure['type']}: {failure['message']}", fix=f"Its log is {last.log}")


def declare(points: list[PointPlan], store: Store) -> None:
    """Leaves word in the store of what each point of a grid compares, once its data is checked."""
    for one in points:
        check_data(one.point.ablation, one.plan, store)
    plans = [one.plan for one in points]
    refuse_leaky_tasks(plans, store)
    refuse_lost_gold(plans, store)
    for one in points:
        store.declare(one.plan.declaration)


def check_data(ablation: Ablation, plan: Plan, store: Store) -> dict[str, Exposure]:
    """What each arm's first seed shows, by arm; first, that no test question stands in what any
    model reads, and that every schedule of every model can be built.

    A difficulty that is a model's loss is made by the workers. Until it is there, arms that are counted
    by it are left out, and schedules that depend on it are not tried.

    Raises:
        UserError: an overlap, or a schedule that cannot be built.
    """
    try:
        refuse_leaks(ablation, plan, store)
        first = [cell for cell in cells(ablation, plan.name) if cell.seed == ablation.seeds[0]]
        counted = [c for c in first if all(store.is_done(key) for key in plan.arm_data[c.arm_name].values())]
        exposures = {cell.arm_name: _exposure(cell, ablation, plan, store) for cell in counted}
        check_training(plan, store)
        return exposures
    except UserError as error:
        raise error.at(file=plan.file) from None


def _exposure(cell: Cell, ablation: Ablation, plan: Plan, store: Store) -> Exposure:
    data = plan.arm_data[cell.arm_name]
    split = read_split(store.artifact(data["corpus"]), "train")
    difficulty = read_difficulty(store.artifact(data["difficulty"]), "train") if "difficulty" in data else None
    return cell_exposure(cell, ablation.teachers, split.ids, split.tokens, split.responses.lengths, difficulty)


def _trained(plan: Plan) -> list[tuple[Job, ModelSpec]]:
    models = [(job, job.spec) for job in plan.jobs.values() if isinstance(job.spec, ModelSpec)]
    return [(job, spec) for job, spec in models if spec.training]


def check_training(plan: Plan, store: Store) -> None:
    """That no validation question is in another corpus's training, and that the schedule of every model can be built,
    as far as difficulties are made. It reads no test question.

    Raises:
        UserError: one is, or one that cannot.
    """
    refuse_validation_leaks(plan, store)
    splits: dict[str, Split] = {}
    for job, spec in _trained(plan):
        corpus = job.parents["corpus"]
        if corpus not in splits:
            splits[corpus] = read_split(store.artifact(corpus), "train")
        split = splits[corpus]
        ordered = job.parents.get("difficulty")
        if ordered and not store.is_done(ordered):
            continue
        difficulty = read_difficulty(store.artifact(ordered), "train") if ordered else None
        assert spec.supervision
        assert spec.training
        try:
            build_schedule(split.ids, split.tokens, difficulty, spec.supervision, spec.training, Streams.of(spec))
        except UserError as error:
            raise error.at(message=f"{job.label}: {error.message}") from None
