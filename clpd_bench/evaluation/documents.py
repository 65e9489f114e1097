"""The texts of a task's documents, and whether models have read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from clpd_bench.corpus.leaks import leak
from clpd_bench.corpus.shared import Texts
from clpd_bench.errors import UserError
from clpd_bench.settings.specs import TaskSpec


def refuse_read(task: Any, spec: TaskSpec, corpora: Mapping[str, Path]) -> None:
    """
    Args:
        task: one of lm-eval's that has been loaded.
        corpora: folders of what the model has read, by what to call them.

    Raises:
        UserError: a document is one that the model has read, or that the task shows as a worked example.
    """
    tested = Texts(document_texts(task, islice(task.eval_docs, spec.limit)))
    if task.config.num_fewshot:
        _refuse_shown(task, spec, tested)
    for name, folder in corpora.items():
        if found := leak(tested, folder):
            raise UserError(
                f"{found.count} of {found.of} documents of task {spec.task!r} stand in {name}, which the model has "
                f"read, {found.first}",
                key="task",
                fix="Take them out of that corpus's file, or test on another task",
            )


def _refuse_shown(task: Any, spec: TaskSpec, tested: Texts) -> None:
    form = getattr(getattr(task, "fewshot_cfg", None), "doc_to_text", None)  # a task of its own code has none
    shown = Texts(document_texts(task, task.fewshot_docs(), *([form] if form else [])))
    if found := tested.found_in(shown):
        i, j = next(iter(found.items()))
        raise UserError(
            f"{len(found)} of {len(tested.questions)} documents of task {spec.task!r} are among those that it takes "
            f"its worked examples from, first {tested.questions[i][:60]!r} as {shown.questions[j][:60]!r}",
            key="shots",
            fix="Say `shots: 0`, or write a task of your own whose fewshot_split is not what it tests, and give its "
            "folder as `include`",
        )


def document_texts(task: Any, documents: Iterable[Mapping[str, Any]], *form: Any) -> list[str]:
    """Of each document its prompt; the texts of its fields, where it has several prompts or none.

    Args:
        form: of the prompts, where it is not the task's.
    """
    texts = []
    for document in documents:
        prompt = task.doc_to_text(document, *form)
        fields = (value for value in document.values() if isinstance(value, str))
        texts.append(prompt if isinstance(prompt, str) and prompt.strip() else "\n".join(fields))
    return texts
