"""What making a model costs: training it, or bringing it in, cutting it, taking an earlier step of it."""

from __future__ import annotations

from clpd_bench.launch.costs.sources import Sources
from clpd_bench.launch.costs.texts import passes, whole
from clpd_bench.launch.costs.training import Run, run_of
from clpd_bench.plan.cost.flops import forward, training
from clpd_bench.plan.cost.job import JobCost
from clpd_bench.plan.cost.memory import CHUNK_ELEMENTS, Held, Peak, weights
from clpd_bench.plan.cost.memory_training import Step, loss_blocks, training_step
from clpd_bench.plan.cost.read import Read
from clpd_bench.plan.cost.terms import Term
from clpd_bench.plan.plan import Job
from clpd_bench.settings.dimensions import Dimensions
from clpd_bench.settings.keep_layers import Cosine
from clpd_bench.settings.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.specs import ModelSpec, Supervision, TargetsSpec
from clpd_bench.settings.training import Training


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
    read, _ = passes(texts.first(rule.examples), whole(texts.first(rule.examples)), 1)
    flops = forward(before, 0, Read(read.tokens, read.squares), "whole model")[:2]
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
    look, _ = passes(validation, whole(validation), settings.micro_batch_tokens)
    flops += forward(d, vocabulary, look * run.looks, "validation")
    beside = _beside(known, vocabulary, run)
    live = supervision.live
    held = [Held(one, sources.width(key)) for one, key in zip(known, teachers, strict=True)] if live else []
    several = run.largest.responses * vocabulary > CHUNK_ELEMENTS
    loss = supervision.loss
    blocks = loss_blocks(
        not isinstance(loss, CrossEntropy),
        _top_k(job, sources),
        isinstance(loss, ForwardKl) and loss.ce_weight > 0,
        several,
    )
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
