"""A benchmark as a task of lm-eval: one YAML and one file of documents, usable with its command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from clpd_bench.corpus.reader import Split
from clpd_bench.settings.specs import BenchmarkSpec

TASK, DOCUMENTS = "clpd_test", "documents.jsonl"


def answer_pattern(marker: str | None) -> str:
    """What the strict filter takes for the answer: the rest of the line behind the marker, or, where
    responses hold no rationale, the first line."""
    line = r"([^\n]*[^\s])"
    return r"^\s*" + line if marker is None else re.escape(marker.strip()) + r"[^\S\n]*" + line


def write_task(split: Split, benchmark: BenchmarkSpec, end: str, folder: Path) -> dict[str, Any]:
    """Writes the task into `folder` and returns it with the documents' absolute path.

    `lm_eval --include_path FOLDER --tasks clpd_test`, run inside that folder, evaluates the same.
    """
    columns = zip(split.ids.tolist(), split.texts("prompt"), split.texts("answer"), strict=True)
    with (folder / DOCUMENTS).open("w", encoding="utf-8") as file:
        for item, prompt, answer in columns:
            file.write(json.dumps({"id": item, "prompt": prompt, "answer": answer}, ensure_ascii=False) + "\n")
    metric: dict[str, Any] = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
    if benchmark.ignore:
        metric["regexes_to_ignore"] = list(benchmark.ignore)
    task = {
        "task": TASK,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": DOCUMENTS}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "prompt",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "num_fewshot": 0,
        "generation_kwargs": {"until": [end], "max_gen_toks": benchmark.max_new_tokens, "do_sample": False},
        "filter_list": [
            {
                "name": "strict",
                "filter": [
                    {"function": "regex", "regex_pattern": answer_pattern(benchmark.answer_marker)},
                    {"function": "take_first"},
                ],
            }
        ],
        "metric_list": [metric],
        "metadata": {"version": 1},
    }
    (folder / f"{TASK}.yaml").write_text(yaml.safe_dump(task, sort_keys=False, allow_unicode=True))
    here = {"data_files": {"test": str((folder / DOCUMENTS).resolve())}}
    return {**task, "dataset_kwargs": here}
