"""Before any training: right answers get full marks on each benchmark."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from clpd_bench.corpus.reader import read_split
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.specs import EvaluationSpec, TaskSpec
from clpd_bench.store import Store


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
                key, told = f"evaluation.benchmarks.{name}.{error.key}", f"{spec.split} split: {error.message}"
                raise UserError(told, file=plan.file, key=key, found=error.found, fix=error.fix) from None
