"""What making a model costs: training it, bringing it in, cutting it, taking an earlier step of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clpd_bench.corpus.reader import read_difficulty
from clpd_bench.costs.cost import JobCost
from clpd_bench.costs.inputs import Sources, Texts, passes, whole
from clpd_bench.costs.memory import Held, Peak, weights
from clpd_bench.costs.memory_training import Step, training_step
from clpd_bench.curriculum.schedule import Schedule, build_schedule
from clpd_bench.curriculum.stages import stage_of_step, teacher_of_stage
from clpd_bench.curriculum.steps import number_of_steps
from clpd_bench.curriculum.streams import Streams
from clpd_bench.flops.passes import Term, forward, training
from clpd_bench.flops.sizes import rows_of_chunk
from clpd_bench.flops.tokens import Largest, Read, read_by_teachers, read_whole
from clpd_bench.plan.plan import Job
from clpd_bench.plan.supervision import needs_difficulty
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.model import Cosine
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.training import BestValidation, Training
from clpd_bench.settings.specs import ModelSpec, Supervision, TargetsSpec
from clpd_bench.store import Store


@dataclass(frozen=True)
class Run:
    """Attributes:
    read, largest: of the training steps.
    by_teacher: what of it each teacher supervises, by its number from 1.
    validations: passes over the validation split.
    estimated: whether lengths are expected, or the difficulty that decides the order is not there yet.
    """

    read: Read
    largest: Largest
    by_teacher: dict[int, Read]
    validations: int
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
        return Run(read, largest, {m: read * share for m, share in shares.items()}, _validations(training, steps), True)
    schedule, as_planned = _schedule(job, spec, supervision, training, texts, store)
    read, largest = passes(texts, (examples for _, examples, _ in schedule.batches()), padded)
    supervised = ((examples, teachers) for _, examples, teachers in schedule.batches())
    taught = read_by_teachers(*texts.counted, supervised, padded)
    return Run(read, largest, taught, _validations(training, schedule.steps), not as_planned)


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


def _validations(training: Training, steps: int) -> int:
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


def model_cost(job: Job, spec: ModelSpec, sources: Sources) -> JobCost:
    d = sources.dimensions.of(job.key)
    if d is None:
        return sources.nothing_of(job.key)
    if spec.training is not None and spec.supervision is not None:
        return _trained(job, spec, spec.training, spec.supervision, d, sources)
    made = JobCost(
        dimensions=d, precision=sources.precision(job.key), estimated=sources.dimensions.is_declared(job.key)
    )
    return _cut(job, spec.keep_layers, made, sources) if isinstance(spec.keep_layers, Cosine) else made


def _cut(job: Job, rule: Cosine, made: JobCost, sources: Sources) -> JobCost:
    """The whole model reads some examples one by one, without its head."""
    initial, corpus = job.parents["initial"], job.parents["corpus"]
    before, texts = sources.dimensions.of(initial), sources.corpora.texts(corpus, "train")
    if before is None or texts is None:
        return sources.nothing_of(initial) if before is None else sources.no_texts(corpus)
    flops = forward(before, 0, read_whole(texts.first(rule.examples).tokens), "whole model")[:2]
    peak = Peak("in a layer", (weights(Held(before, sources.width(initial)), "weights of the whole model"),))
    return JobCost(tuple(flops), peak, made.dimensions, made.precision, estimated=made.estimated or texts.estimated)


def _trained(
    job: Job, spec: ModelSpec, settings: Training, supervision: Supervision, d: Dimensions, sources: Sources
) -> JobCost:
    corpus = job.parents["corpus"]
    texts, validation = (sources.corpora.texts(corpus, split) for split in ("train", "validation"))
    vocabulary = sources.dimensions.vocabulary(corpus)
    if texts is None or validation is None or vocabulary is None:
        return sources.no_texts(corpus)
    teachers = sources.teachers(job)
    known = [one for one in map(sources.dimensions.of, teachers) if one is not None]
    if len(known) < len(teachers):
        return sources.nothing_of(next(key for key in teachers if sources.dimensions.of(key) is None))
    run = run_of(job, spec, texts, sources.store)
    frozen = settings.freeze_embeddings
    flops = training(
        d, vocabulary, run.read, "steps", settings.activation_checkpointing, frozen and d.tie_word_embeddings
    )
    check, _ = passes(validation, whole(validation), settings.micro_batch_tokens)
    flops += forward(d, vocabulary, check * run.validations, "validation")
    beside = _beside(known, vocabulary, run)
    live = supervision.live
    held = [Held(one, sources.width(key)) for one, key in zip(known, teachers, strict=True)] if live else []
    several = run.largest.responses > rows_of_chunk(vocabulary, "cuda")
    loss = supervision.loss
    blocks = loss.logit_blocks(_top_k(job, sources), several)
    step = Step(settings.precision == "bfloat16", settings.activation_checkpointing, frozen, blocks)
    return JobCost(
        (*flops, *beside) if live else tuple(flops),
        training_step(d, vocabulary, run.largest, step, held),
        d,
        settings.precision,
        () if live else tuple(beside),
        run.estimated or sources.estimates(corpus, job.key, *teachers),
    )


def _beside(teachers: list[Dimensions], vocabulary: int, run: Run) -> list[Term]:
    """Teachers' passes over what each supervises."""
    return [
        term
        for m, d in enumerate(teachers, start=1)
        if m in run.by_teacher
        for term in forward(d, vocabulary, run.by_teacher[m], f"live teacher {m}")
    ]


def _top_k(job: Job, sources: Sources) -> int | None:
    stored = job.parents.get("targets.1")
    spec = sources.plan.jobs[stored].spec if stored else None
    return spec.targets.top_k if isinstance(spec, TargetsSpec) else None
