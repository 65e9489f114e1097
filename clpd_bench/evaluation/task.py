"""A benchmark as a task of lm-eval: one YAML and one file of documents, usable with its command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from clpd_bench.corpus.reader import Split
from clpd_bench.errors import UserError
from clpd_bench.evaluation.answers import IGNORED, filters, targets
from clpd_bench.evaluation.tokens import Stop
from clpd_bench.settings.specs import BenchmarkSpec

TASK, DOCUMENTS = "clpd_test", "documents.jsonl"


def write_task(split: Split, benchmark: BenchmarkSpec, stop: Stop, folder: Path) -> dict[str, Any]:
    """Writes the task of generating answers into `folder` and returns it with the documents' absolute path.

    `lm_eval --include_path FOLDER --tasks clpd_test`, run inside that folder, evaluates the same; where the prompts
    hold the template's special tokens already, with `add_bos_token=False` among its model arguments.
    """
    extract = benchmark.extract
    columns = zip(split.ids.tolist(), split.texts("prompt"), split.texts("answer"), strict=True)
    documents = (
        {"id": item, "prompt": prompt, "answer": answer if extract is None else targets(answer, extract)}
        for item, prompt, answer in columns
    )
    metric: dict[str, Any] = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
    ignored = [*benchmark.ignore, *(IGNORED[extract] if extract else ())]
    if ignored:
        metric["regexes_to_ignore"] = ignored
    settings = {
        "output_type": "generate_until",
        "doc_to_text": "prompt",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "num_fewshot": 0,
        "generation_kwargs": {
            "until": [stop.text],
            # A text that is a special token cannot be found in decoded output: its id ends the row.
            "eos_token_id": list(stop.ids),
            "max_gen_toks": benchmark.max_new_tokens,
            "do_sample": False,
            # Greedy, whatever the model's own generation settings say (Qwen's repeat less).
            "repetition_penalty": 1.0,
        },
        "filter_list": filters(benchmark.answer_marker, extract),
        "metric_list": [metric],
    }
    return _write(documents, settings, folder)


def write_choice_task(split: Split, folder: Path) -> dict[str, Any]:
    """The same for the task of weighing an example's choices, each as the whole response to the prompt.

    lm-eval reckons white space at a prompt's end to each choice, and tokenises prompt and choice as one text. Its
    `acc_norm` divides by a choice's characters.

    Raises:
        UserError: the corpus carries no choices.
    """
    names = split.table.column_names
    if not {"choices", "label"} <= {*names}:
        raise UserError(
            "the corpus carries no choices to weigh",
            key="kind",
            found="choice",
            fix="Take a corpus of a source with choices (commonsense_qa), or leave `kind` out",
        )
    columns = zip(split.ids.tolist(), *(split.texts(name) for name in ("prompt", "choices", "label")), strict=True)
    documents = (
        {"id": item, "prompt": prompt, "choices": choices, "label": label} for item, prompt, choices, label in columns
    )
    mean = {"aggregation": "mean", "higher_is_better": True}
    settings = {
        "output_type": "multiple_choice",
        "doc_to_text": "prompt",
        "doc_to_choice": "choices",
        "doc_to_target": "label",
        "target_delimiter": "",
        "num_fewshot": 0,
        "metric_list": [{"metric": "acc", **mean}, {"metric": "acc_norm", **mean}],
    }
    return _write(documents, settings, folder)


def _write(documents: Iterable[dict[str, Any]], settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    with (folder / DOCUMENTS).open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
    task = {
        "task": TASK,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": DOCUMENTS}},
        "test_split": "test",
        **settings,
        "metadata": {"version": 1},
    }
    (folder / f"{TASK}.yaml").write_text(yaml.safe_dump(task, sort_keys=False, allow_unicode=True))
    here = {"data_files": {"test": str((folder / DOCUMENTS).resolve())}}
    return {**task, "dataset_kwargs": here}
