"""Tasks' files are found and read as lm-eval finds and reads them, in a fraction of its time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lm_eval.tasks._index import TaskIndex
from lm_eval.tasks._yaml_loader import load_yaml

from clpd_bench.errors import UserError
from clpd_bench.outside.lm_eval_tasks import find_task, own_tasks, read_task, task_names
from clpd_bench.settings.parts.hub import TaskData

FAMILIES = ("arc", "gsm8k", "hendrycks_math", "squadv2", "mmlu/default", "super_glue", "belebele", "paws-x")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_task_is_found_in_the_file_that_lm_eval_takes(family: str) -> None:
    folder = own_tasks() / family
    index = {name: one for name, one in TaskIndex.build([folder]).items() if one.kind.name in ("TASK", "PY_TASK")}
    assert index
    assert {*index} <= {*task_names(folder)}
    for name in [*index][:8]:
        found = find_task(name, folder)
        assert found is not None
        assert found.path == index[name].yaml_path.resolve()
        assert _named_functions(found.settings) == _named_functions(load_yaml(found.path, resolve_func=False))


def _named_functions(settings: dict[str, Any]) -> str:
    """With the functions that lm-eval knows by their paths, and we by what the file calls them, told alike."""
    return re.sub(r'"(/[^"]*/|!function )([\w.]+)"', r'"\2"', json.dumps(settings, sort_keys=True))


def test_groups_and_strangers_are_no_task() -> None:
    assert find_task("ai2_arc", own_tasks() / "arc") is None
    assert find_task("gsm8", own_tasks() / "gsm8k") is None


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("dataset_path: a/b\ndataset_name: c", TaskData(dataset="a/b", name="c")),
        ("dataset_path: a/b\ndataset_kwargs: {revision: v1}", TaskData(dataset="a/b", revision="v1")),
        ("dataset_path: a/b\ndataset_kwargs: {data_dir: x}", TaskData(dataset="a/b", files=("x/*",))),
        ("dataset_path: a/b\ndataset_kwargs: {data_files: {test: [x.csv, y.csv]}}",
         TaskData(dataset="a/b", files=("x.csv", "y.csv"))),
        ("dataset_path: json\ndataset_kwargs: {data_files: x.jsonl}", None),
        ("dataset_path: a/b\nclass: !function t.Task", None),
        ("dataset_path: a/b\ncustom_dataset: !function t.load", None),
        ("output_type: generate_until", None),
    ],
)  # fmt: skip
def test_the_hubs_data_set_of_a_task(tmp_path: Path, text: str, data: TaskData | None) -> None:
    assert read_task(write(tmp_path, "t", f"task: t\n{text}\n")).data == data


def test_the_digest_is_of_what_the_file_says_with_its_includes_wherever_it_stands(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "below", "dataset_path: a/b\nprocess_docs: !function utils.docs\ntask_list: [x]\n")
        write(tmp_path / name, "t", "include: below.yaml\ntask: t\n# a remark\n")
    here, there = (read_task(tmp_path / name / "t.yaml") for name in ("here", "there"))
    assert here.settings == {"task": "t", "dataset_path": "a/b", "process_docs": "!function utils.docs"}
    assert here.sha256 == there.sha256
    write(tmp_path / "there", "below", "dataset_path: a/c\nprocess_docs: !function utils.docs\n")
    assert read_task(tmp_path / "there" / "t.yaml").sha256 != here.sha256


def test_what_is_no_task_says_its_file(tmp_path: Path) -> None:
    for text in ("- a\n", "a: [", "include: t.yaml\n", "include: none.yaml\n"):
        with pytest.raises(UserError, match=r"t\.yaml: is no task of lm-eval"):
            read_task(write(tmp_path, "t", text))
