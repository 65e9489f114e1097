"""The targets of lm-eval's own tasks get full marks, as far as they are outputs at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from clpd_bench.distillation.context import Context
from clpd_bench.errors import UserError
from clpd_bench.evaluation.gold import LEDGER
from clpd_bench.evaluation.load_task import loaded_by_name
from clpd_bench.evaluation.task_documents import kept_documents
from clpd_bench.jobs import evaluation
from clpd_bench.settings.base import files_under
from clpd_bench.settings.specs import EvaluationSpec, TaskSpec

MEAN = {"aggregation": "mean", "higher_is_better": True}
LAST_NUMBER = [
    {"function": "regex", "regex_pattern": "(-?[0-9]+)", "group_select": -1},
    {"function": "take_first"},
]


def task(folder: Path, rows: list[dict[str, Any]], **settings: Any) -> Path:
    folder.mkdir()
    (folder / "rows.json").write_text(json.dumps(rows))
    written = {
        "task": "mine",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.json"}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "question",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 4},
        "metric_list": [{"metric": "exact_match", **MEAN}],
        **settings,
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(written))
    return folder


def checked(folder: Path, **settings: Any) -> tuple[list[int], dict[int, str], list[str]]:
    spec = spec_of(folder, **settings)
    with loaded_by_name(spec) as one:
        return kept_documents(one, spec)


def spec_of(folder: Path, **settings: Any) -> TaskSpec:

    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files_under(folder)}
    return TaskSpec(task="mine", include=folder, include_hashes=hashes, **settings)


SUMS = [{"question": f"{i}+1?", "answer": f"It is {i + 1}"} for i in range(4)]
ODD = {"question": "4+1?", "answer": "5 or\n6"}


def test_targets_that_get_full_marks_are_all_evaluated(tmp_path: Path) -> None:
    assert checked(task(tmp_path / "t", SUMS)) == ([0, 1, 2, 3], {}, [])


def test_a_target_that_its_own_task_scores_wrong_is_told_or_left_out(tmp_path: Path) -> None:
    """The stop that cuts outputs cuts this target."""
    folder = task(tmp_path / "t", [SUMS[0], ODD, *SUMS[1:]])
    with pytest.raises(UserError, match="targets of 1 of 5 documents of task 'mine' do not get full marks") as raised:
        checked(folder)
    assert "document 1: '5 or'" in str(raised.value)
    kept, lost, _ = checked(folder, gold="drop")
    assert (kept, list(lost)) == ([0, 2, 3, 4], [1])
    assert checked(folder, limit=1) == ([0], {}, [])


def test_of_several_targets_one_is_enough(tmp_path: Path) -> None:
    rows = [
        {"question": "capital?", "answer": ["Washington\nD.C.", "Washington"]},
        *({**r, "answer": [r["answer"]]} for r in SUMS),
    ]
    assert checked(task(tmp_path / "t", rows)) == ([0, 1, 2, 3, 4], {}, [])


def test_a_filter_that_takes_no_target_for_an_output_is_said_to_be_unchecked(tmp_path: Path) -> None:
    says = [{"function": "regex", "regex_pattern": "The answer is (.*)\\."}, {"function": "take_first"}]
    filters = [{"name": "said", "filter": says}, {"name": "last", "filter": [{"function": "take_first"}]}]
    assert checked(task(tmp_path / "t", SUMS, filter_list=filters)) == ([0, 1, 2, 3], {}, ["said"])


def test_a_right_choice_that_cannot_be_the_most_likely_is_told(tmp_path: Path) -> None:
    """Two choices of one text, or a label that no choice has."""
    choice = {"output_type": "multiple_choice", "doc_to_choice": "choices", "doc_to_target": "label"}
    choice["metric_list"] = [{"metric": "acc", **MEAN}, {"metric": "acc_norm", **MEAN}]  # type: ignore[assignment]
    rows = [{"question": str(i), "choices": ["a", "bb", "c"], "label": i % 3} for i in range(6)]
    assert checked(task(tmp_path / "right", rows, **choice))[1:] == ({}, [])
    for i, wrong in enumerate([{"choices": ["a", "a", "c"], "label": 1}, {"choices": ["a", "b", "c"], "label": 7}]):
        folder = task(tmp_path / f"wrong{i}", [*rows, {"question": "x", **wrong}], **choice)
        with pytest.raises(UserError, match="document 6"):
            checked(folder)


MAJORITY = [{"function": "take_first_k", "k": 3}, {"function": "majority_vote"}, {"function": "take_first"}]
PETS: list[dict[str, Any]] = [
    {"question": f"{i}?", "choices": ["cat", "dog", "cow"], "answer": i % 3} for i in range(3)
]
OUT_OF_A_LIST: dict[str, dict[str, Any]] = {
    "a choice to be written out": {},
    "a choice against how likely it is without the question": {
        "output_type": "multiple_choice",
        "metric_list": [{"metric": "acc", **MEAN}, {"metric": "acc_mutual_info", **MEAN}],
    },
    "the majority of several outputs": {"repeats": 3, "filter_list": [{"name": "majority", "filter": MAJORITY}]},
}


@pytest.mark.parametrize("kind", OUT_OF_A_LIST)
def test_a_target_out_of_a_list_is_read_as_lm_eval_reads_it(kind: str, tmp_path: Path) -> None:
    folder = task(tmp_path / "t", PETS, doc_to_choice="choices", **OUT_OF_A_LIST[kind])
    assert checked(folder) == ([0, 1, 2], {}, [])


def test_a_document_without_a_target_is_told(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"question": "a?", "answer": ["x"]}, {"question": "b?", "answer": []}]
    with pytest.raises(UserError, match=r"document 1: '\[\]' is '\[\]' under the filter none"):
        checked(task(tmp_path / "t", rows))


CLASS = """
from lm_eval.api.task import ConfigurableTask

class Mine(ConfigurableTask):
    def __init__(self, config=None):
        super().__init__(config={{"task": "mine", "dataset_path": "json", "test_split": "test",
            "dataset_kwargs": {{"data_files": {{"test": {file!r}}}}}, "doc_to_text": "question",
            "doc_to_target": "answer", "output_type": "generate_until"}})

    def process_results(self, document, results):
        text, (nats, _) = results
        return {{"exact_match": float(text == document["answer"])}}
"""


def test_a_task_of_its_own_class_is_not_asked_what_it_makes_of_one_output(tmp_path: Path) -> None:
    """lm-eval's squadv2 scores an output and a likelihood together."""
    folder = task(tmp_path / "t", SUMS)
    (folder / "own.py").write_text(CLASS.format(file=str(folder / "rows.json")))
    (folder / "mine.yaml").write_text("task: mine\nclass: !function own.Mine\n")
    assert checked(folder)[:2] == ([0, 1, 2, 3], {})


def test_what_is_dropped_is_not_evaluated_and_each_output_keeps_its_document(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = task(tmp_path / "t", [ODD, *SUMS])
    out = tmp_path / "out"
    out.mkdir()
    spec = EvaluationSpec(benchmark=spec_of(folder, gold="drop"), batch_size=2, dtype="float32")
    measured = evaluation.run(spec, {"model": folders["model"]}, out, Context(tmp_path / "checkpoints"))
    assert measured.details == {"items": 4, "gold_dropped": {"items": 1, "of": 5}}
    assert [*json.loads((out / LEDGER).read_text())] == ["document 0"]
    rows = pq.read_table(out / "items.parquet").to_pylist()
    assert len(rows) == 4
    assert {row["truncated"] for row in rows} <= {True, False}
