"""What the peers' script is given out of a filled store: the same rows, orders, teachers and learning rates."""

from __future__ import annotations

from typing import Any

from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.curriculum.schedule import Schedule, build_schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import BenchmarkSpec, EvaluationSpec, ModelSpec
from clpd_bench.store import Store
from grid.ours import losses_of, name_of


def given(plan: Plan, store: Store) -> dict[str, Any]:
    """Paths, and what is trained and evaluated, ready for JSON: all that costs time is left to who reads it.

    `teachers` are trained in their order from the weakest. In `evaluations` a model is the name of a teacher or
    student, or of the weights that students of a seed start from.
    """
    jobs = plan.jobs
    names = {key: name_of(job) for key, job in jobs.items() if isinstance(job.spec, ModelSpec)}
    teachers = [jobs[jobs[key].parents["model"]] for ladder in plan.ladders for _, key in ladder.teachers]
    trained = [job for job in jobs.values() if isinstance(job.spec, ModelSpec) and job.spec.training]
    evaluations = [job for job in jobs.values() if isinstance(job.spec, EvaluationSpec)]
    (corpus,) = {job.parents["corpus"] for job in trained}
    generating = next(job for job in evaluations if _new_tokens(job))
    return {
        "corpus": str(store.artifact(corpus)),
        "task": str(store.artifact(generating.key)),
        "batch_size": generating.spec.batch_size,  # type: ignore[union-attr]
        "starts": [
            {"name": names[key], "config": str(store.artifact(key)), "seed": Streams.of(jobs[key].spec).seed_of("init")}
            for key in dict.fromkeys(job.parents["initial"] for job in trained if "initial" in job.parents)
        ],
        "teachers": [
            {
                "name": names[job.key],
                "config": str(store.artifact(job.key)),
                "seed": Streams.of(job.spec).seed_of("init"),  # type: ignore[arg-type]
                **_training(job, plan, store),
            }
            for job in teachers
        ],
        "students": [
            {"name": names[job.key], "start": names[job.parents["initial"]], **_training(job, plan, store)}
            for job in trained
            if "initial" in job.parents
        ],
        "evaluations": [
            {
                "model": names[job.parents["model"]],
                "split": job.spec.split,  # type: ignore[union-attr]
                "items": [*losses_of(store.artifact(job.key))],
                "generates": bool(_new_tokens(job)),
            }
            for job in evaluations
        ],
    }


def _new_tokens(job: Job) -> int | None:
    benchmark = job.spec.benchmark  # type: ignore[union-attr]
    return benchmark.max_new_tokens if isinstance(benchmark, BenchmarkSpec) else None


def schedule_of(job: Job, store: Store) -> Schedule:
    """The one that the job's body builds."""
    spec = job.spec
    assert isinstance(spec, ModelSpec)
    assert spec.training is not None
    assert spec.supervision is not None
    split = read_split(store.artifact(job.parents["corpus"]), "train")
    ordered = job.parents.get("difficulty")
    difficulty = read_difficulty(store.artifact(ordered), "train") if ordered else None
    return build_schedule(split.ids, split.tokens, difficulty, spec.supervision, spec.training, Streams.of(spec))


def _training(job: Job, plan: Plan, store: Store) -> dict[str, Any]:
    """`batches`: of each step its rows (places in the split), and the name of its teacher, None for nobody."""
    schedule, training = schedule_of(job, store), job.spec.training  # type: ignore[union-attr]
    assert isinstance(training, Training)
    batches = []
    for _, examples, teachers in schedule.batches():
        (number,) = set(teachers.tolist())
        # Numbers are by the job's own teachers: where there is but the strongest, that one is 1.
        targets = plan.jobs[job.parents[f"targets.{number}"]] if number else None
        teacher = name_of(plan.jobs[targets.parents["model"]]) if targets else None
        batches.append({"rows": examples.tolist(), "teacher": teacher})
    return {
        "batches": batches,
        "rates": [training.learning_rate_at(step, schedule.steps) for step in range(1, schedule.steps + 1)],
        "betas": training.betas,
        "clip": training.clip,
    }
