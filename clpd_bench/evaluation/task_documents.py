"""The documents of lm-eval's own tasks: their texts, their targets, and whether models have read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from clpd_bench.corpus.leaks import leak
from clpd_bench.corpus.shared_questions import Texts
from clpd_bench.errors import UserError
from clpd_bench.evaluation.gold import LISTED, Marked, Reading, choice_results, lost_by
from clpd_bench.settings.parts.metrics import METRICS
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


def kept_documents(task: Any, spec: TaskSpec) -> tuple[list[int], dict[int, str], list[str]]:
    """Of a task that has been loaded: the documents that are evaluated, by place; those that `gold: drop` leaves out,
    with the reason; and the filters of which no target has the form, so that nothing is checked under them.

    A target need not be an output (`72`, where a filter wants `The answer is 72.`): a filter under which some targets
    get full marks is one that all are to get them under.

    Raises:
        UserError: one does not, and the benchmark says `gold: refuse`; or none is left.
    """
    documents = list(islice(task.eval_docs, spec.limit))
    lost, unchecked = lost_by(_reading(task, documents))
    if lost and spec.gold == "refuse":
        shown = "; ".join(f"document {i}: {why}" for i, why in list(lost.items())[:LISTED])
        raise UserError(
            f"the targets of {len(lost)} of {len(documents)} documents of task {spec.task!r} do not get full marks, so "
            f"no student could: {shown}",
            key="gold",
            fix="Leave them out: `gold: drop`; or mend the task, in a folder of your own (`include`)",
        )
    if len(lost) == len(documents):
        raise UserError("no document is left under `gold: drop`", key="gold")
    return [i for i in range(len(documents)) if i not in lost], lost, unchecked


def _reading(task: Any, documents: list[dict[str, Any]]) -> Reading:
    """Nothing of a task that scores neither one output nor choices, or whose class is its own: what it scores may be
    several outputs, or outputs and likelihoods."""
    from lm_eval.api.task import ConfigurableTask  # costs seconds to import: only for who evaluates

    if type(task) is ConfigurableTask:
        if task.OUTPUT_TYPE == "multiple_choice" and not task.multiple_input:
            return _of_choices(task, documents)
        if task.OUTPUT_TYPE == "generate_until":
            return _of_texts(task, documents)
    return Reading([""] * len(documents), [[] for _ in documents])


def _of_choices(task: Any, documents: list[dict[str, Any]]) -> Reading:
    outputs: list[str] = []
    marks: list[list[Marked]] = []
    by_information = "acc_mutual_info" in [one["metric"] for one in task.config.metric_list or ()]
    for document in documents:
        choices, target = task.doc_to_choice(document), task.doc_to_target(document)
        right = target[0] if isinstance(target, list) else target
        place = choices.index(right) if right in choices else right
        is_one = isinstance(place, int) and 0 <= place < len(choices)
        outputs.append(str(choices[place] if is_one else right))
        results = choice_results(choices, place if is_one else -1)
        if by_information:  # behind them stand the likelihoods without the question
            results += [(0.0, False)] * len(choices)
        marks.append([("none", None, _known(task.process_results(document, results), is_one))])
    return Reading(outputs, marks)


def _of_texts(task: Any, documents: list[dict[str, Any]]) -> Reading:
    """Of several targets the one that does best."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.utils import postprocess_generated_text

    stops = (task.config.generation_kwargs or {}).get("until")
    outputs: list[str] = []
    marks: list[list[Marked]] = []
    for i, document in enumerate(documents):
        target = task.doc_to_target(document)
        if task.config.doc_to_choice is not None:
            target = task.doc_to_choice(document)[target]
        tried = []
        for one in target if isinstance(target, list) and target else [target]:
            output = postprocess_generated_text(str(one), stops, None)
            responses = [output] * task.config.repeats
            instance = Instance("generate_until", document, ("", {}), 0, (task.task_name, i, 1), responses)
            task._instances = [instance]
            task.apply_filters()
            found = instance.filtered_resps
            scores: list[Marked] = [
                (name, str(one), _known(task.process_results(document, [one]))) for name, one in found.items()
            ]
            tried.append((sum(sum(known.values()) for _, _, known in scores), output, scores))
        _, output, scores = max(tried, key=lambda one: one[0])
        outputs.append(output)
        marks.append(scores)
    task._instances = None
    return Reading(outputs, marks)


def _known(scores: dict[str, Any], is_one: bool = True) -> dict[str, Any]:
    return {name: float(value) * is_one for name, value in scores.items() if name in METRICS}
