"""Before any training: right answers get full marks, and no model reads a question that is tested."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path

from clpd_bench.corpus.leaks import TRAINED, leak, questions_of
from clpd_bench.corpus.reader import read_split
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.specs import READ, EvaluationSpec, ModelSpec, TaskSpec
from clpd_bench.store import Store


def refuse_leaks(ablation: Ablation, plan: Plan, store: Store) -> None:
    """Corpora split themselves; that one's test questions are not another's, nor a worked example, is seen here.

    Raises:
        UserError: a test question of a benchmark is in what a model reads.
    """
    names = _names(plan)
    tested_on = {plan.corpora[name] for name in ablation.evaluation.corpora.values()}
    for benchmark, tested in ablation.evaluation.corpora.items():
        key = plan.corpora[tested]
        test = questions_of(store.artifact(key), "test")
        trained_on = {read for job in _evaluations(plan) if job.parents.get("corpus") == key for read in _read(job)}
        for corpus in sorted(trained_on | tested_on, key=names.__getitem__):
            # Of a corpus that is tested alone, models read what stands in front of its prompts.
            if found := leak(test, store.artifact(corpus), TRAINED if corpus in trained_on else ()):
                why = "which models are trained on" if corpus in trained_on else "which models are prompted with"
                raise UserError(
                    f"{found.count} of {found.of} test questions stand in corpus {names[corpus]!r}, {why}, "
                    f"{found.first}",
                    key=f"evaluation.benchmarks.{benchmark}",
                    fix="Take them out of one of the two corpora",
                )


def refuse_validation_leaks(plan: Plan, store: Store) -> None:
    """Validation chooses checkpoints and values for all, so a question of it is in nobody's training.

    Raises:
        UserError: one is.
    """
    names = _names(plan)
    for one, other in permutations(sorted(_trained_on(plan), key=names.__getitem__), 2):
        if found := leak(questions_of(store.artifact(one), "validation"), store.artifact(other), ("train",)):
            raise UserError(
                f"{found.count} of {found.of} validation questions, by which models are stopped, chosen and tuned, "
                f"stand in corpus {names[other]!r}, which models are trained on, {found.first}",
                key=f"corpora.{names[one]}",
                fix="Make the two of files that share no question, or of the same files with the same "
                "`validation` and `limit`",
            )


def refuse_leaky_tasks(plans: Sequence[Plan], store: Store) -> None:
    """The same for the tasks of lm-eval that are still to be evaluated, as far as their data can be had here: the
    jobs look again.

    Raises:
        UserError: a document of one is in what a model reads, or its own target does not get full marks.
    """
    read: dict[str, tuple[TaskSpec, set[str]]] = {}
    for job in (job for plan in plans for job in _evaluations(plan)):
        benchmark = getattr(job.spec, "benchmark", None)
        if isinstance(benchmark, TaskSpec) and not store.is_done(job.key):
            read.setdefault(benchmark.model_dump_json(), (benchmark, set()))[1].update(_read(job))
    if not read:
        return
    from clpd_bench.evaluation.load_task import loaded_by_name
    from clpd_bench.evaluation.task_documents import kept_documents, refuse_read

    names = {key: name for plan in plans for key, name in _names(plan).items()}
    for spec, keys in read.values():
        corpora = {f"corpus {names[key]!r}": store.artifact(key) for key in sorted(keys)}
        with ExitStack() as stack:
            try:
                task = stack.enter_context(loaded_by_name(spec))
            except UserError:  # its data cannot be had: the job says what to do
                continue
            try:
                refuse_read(task, spec, corpora)
                kept_documents(task, spec)
            except UserError as error:
                raise error.at(file=plans[0].file) from None


def _names(plan: Plan) -> dict[str, str]:
    """Of the corpora by key, those that points of a grid alone have among them."""
    return {key: job.label.removeprefix("corpus ") for key, job in plan.jobs.items() if job.kind == "corpus"}


def _evaluations(plan: Plan) -> list[Job]:
    return [job for job in plan.jobs.values() if job.kind == "evaluation"]


def _read(job: Job) -> list[str]:
    """The corpora that an evaluated model has read."""
    return [key for role, key in job.parents.items() if role.startswith(READ)]


def _trained_on(plan: Plan) -> set[str]:
    specs = [(job, job.spec) for job in plan.jobs.values()]
    return {job.parents["corpus"] for job, spec in specs if isinstance(spec, ModelSpec) and spec.training}


def refuse_lost_gold(plans: Sequence[Plan], store: Store) -> None:
    """Of the benchmarks on corpora that are still to be evaluated. The jobs look again, and for lm-eval's tasks alone
    do, or `refuse_leaky_tasks`.

    Raises:
        UserError: an item's own response is scored wrong, or is longer than outputs may be.
    """
    todo: dict[tuple[str, str], tuple[EvaluationSpec, Plan, str]] = {}
    for plan in plans:
        models = [*plan.cells, *plan.references]
        names = {key: name for one in models for name, key in one.evaluations.items()}
        for key, job in plan.jobs.items():
            if isinstance(job.spec, EvaluationSpec) and "corpus" in job.parents and not store.is_done(key):
                settings = (job.parents["corpus"], job.spec.model_dump_json())
                # On validation items it is teachers, by the primary result.
                name = names.get(key) or plan.declaration["primary"]["benchmark"]
                todo.setdefault(settings, (job.spec, plan, name))
    if not todo:
        return
    from transformers import AutoTokenizer  # a second to import

    from clpd_bench.evaluation.gold import prepare

    for (corpus, _), (spec, plan, name) in todo.items():
        assert not isinstance(spec.benchmark, TaskSpec)
        folder = store.artifact(corpus)
        tokenizer = AutoTokenizer.from_pretrained(str(folder / "tokenizer"))
        with tempfile.TemporaryDirectory() as scratch:
            try:
                prepare(read_split(folder, spec.split), spec.benchmark, tokenizer, Path(scratch))
            except UserError as error:
                key, message = f"evaluation.benchmarks.{name}.{error.key}", f"{spec.split} split: {error.message}"
                raise error.at(message=message, file=plan.file, key=key) from None
