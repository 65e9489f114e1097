"""A benchmark as a task of lm-eval: a YAML, the documents, and the functions that score; usable with its command
line.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from clpd_bench.corpus.reader import Split
from clpd_bench.errors import UserError
from clpd_bench.evaluation import scoring
from clpd_bench.evaluation.tokens import StopString
from clpd_bench.settings.parts.evaluation import STRICT, STRICT_MATCH
from clpd_bench.settings.specs import BenchmarkSpec

TASK, DOCUMENTS = "clpd_test", "documents.parquet"
"""Parquet, since of JSON lines `datasets` guesses the types: it makes a time of an answer that is a date."""


class _Function(str):
    """A function of the task's own module, as lm-eval's YAML names one."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Function, lambda dumper, name: dumper.represent_scalar("!function", f"{Path(scoring.__file__).stem}.{name}")
)


def write_task(split: Split, benchmark: BenchmarkSpec, stop: StopString, folder: Path) -> None:
    """Writes the task of generating answers into `folder`.

    `lm_eval --include_path FOLDER --tasks clpd_test`, run inside that folder, evaluates the same; where the prompts
    hold the template's special tokens already, with `add_bos_token=False` among its model arguments.
    """
    extract, answers = benchmark.extract, split.texts("answer")
    alike = {
        "marker": pa.array([benchmark.answer_marker] * len(answers), pa.string()),
        "kind": pa.array([extract] * len(answers), pa.string()),
        "ignore": pa.array([list(benchmark.ignore)] * len(answers), pa.list_(pa.string())),
    }
    documents = {"id": split.ids.tolist(), "prompt": split.texts("prompt"), "answer": answers, **alike}
    if extract == "letter":
        documents["labels"] = _labels(split)
    filters = [STRICT, *(["flexible"] if extract else []), *([STRICT_MATCH] if benchmark.strict_match else [])]
    settings = {
        "output_type": "generate_until",
        "doc_to_text": "prompt",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "num_fewshot": 0,
        "generation_kwargs": {
            "until": [stop.text, *benchmark.stops],
            # A text that is a special token cannot be found in decoded output: its id ends the row.
            "eos_token_id": list(stop.ids),
            "max_gen_toks": benchmark.max_new_tokens,
            "do_sample": False,
            # Greedy, whatever the model's own generation settings say (Qwen's repeat less).
            "repetition_penalty": 1.0,
        },
        "filter_list": [
            {"name": name, "filter": [{"function": "custom", "filter_fn": _Function(name.replace("-", "_"))}]}
            for name in filters
        ],
        "process_results": _Function("exact_match"),
        "metric_list": [{"metric": "exact_match", **_MEAN}],
    }
    _write(documents, settings, folder)


def write_choice_task(split: Split, stop: StopString, folder: Path) -> list[list[str]]:
    """The same for the task of weighing an example's choices, each as the whole response to the prompt: the text that
    models are trained on, the end token with it. `acc_norm` divides by the characters of the choice alone.

    Returns:
        See `scored_choices`.

    Raises:
        UserError: the corpus carries no choices.
    """
    if not {"choices", "label"} <= {*split.table.column_names}:
        raise UserError(
            "the corpus carries no choices to weigh",
            key="kind",
            found="choice",
            fix="Take a corpus of a source with choices (commonsense_qa), or leave `kind` out",
        )
    scored = scored_choices(split, stop)
    documents = {
        "id": split.ids.tolist(),
        **{name: split.texts(name) for name in ("prompt", "choices", "label")},
        "scored": scored,
    }
    settings = {
        "output_type": "multiple_choice",
        "doc_to_text": "prompt",
        "doc_to_choice": "scored",
        "doc_to_target": "label",
        "target_delimiter": "",
        "num_fewshot": 0,
        "process_results": _Function("choice_accuracy"),
        "metric_list": [{"metric": "acc", **_MEAN}, {"metric": "acc_norm", **_MEAN}],
    }
    _write(documents, settings, folder)
    return scored


_MEAN: dict[str, Any] = {"aggregation": "mean", "higher_is_better": True}


def scored_choices(split: Split, stop: StopString) -> list[list[str]]:
    """Of each item the response that each of its choices makes, with its end token."""
    columns = zip(*(split.texts(name) for name in ("response", "answer", "choices")), strict=True)
    return [
        [f"{response.removesuffix(answer)}{choice}{stop.text}" for choice in choices]
        for response, answer, choices in columns
    ]


def _labels(split: Split) -> list[list[str]]:
    """Of each item those of its choices; without choices the letters or numbers that its answer is one of."""
    if "choices" in split.table.column_names:
        return [re.findall(r"^\((\w+)\)", "\n".join(choices), re.MULTILINE) for choices in split.texts("choices")]
    return [scoring.labels_like(answer) for answer in split.texts("answer")]


def _write(documents: Mapping[str, Any], settings: dict[str, Any], folder: Path) -> None:
    pq.write_table(pa.table(dict(documents)), folder / DOCUMENTS)
    shutil.copyfile(scoring.__file__, folder / Path(scoring.__file__).name)
    task = {
        "task": TASK,
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": DOCUMENTS}},
        "test_split": "test",
        **settings,
        "metadata": {"version": 1},
    }
    (folder / f"{TASK}.yaml").write_text(yaml.dump(task, Dumper=_Dumper, sort_keys=False, allow_unicode=True))
