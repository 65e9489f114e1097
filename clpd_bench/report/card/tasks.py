"""The benchmarks of a model as lm-eval's own command line runs them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.outside.lm_eval_tasks import read_task
from clpd_bench.plan.plan import Plan, PlannedEvaluation
from clpd_bench.report.card.subject import example_of
from clpd_bench.settings.specs import ChoiceSpec, EvaluationSpec
from clpd_bench.store import Store

LARGEST = 10_000_000
"""Bytes of task files that an exported folder takes in, a benchmark."""


@dataclass(frozen=True)
class Task:
    """Attributes:
    folder: of its files in the exported folder; "" where there are none.
    files: {name: bytes} of them in the evaluation's artifact, whose key is `key`.
    arguments: of the command, said inside `folder`.
    spaced: whether it weighs choices under prompts that end with white space, which the command reckons to each choice.
    """

    benchmark: str
    key: str
    folder: str
    files: dict[str, int]
    arguments: list[str]
    spaced: bool

    @property
    def command(self) -> str:
        return f"cd {shlex.quote(self.folder)}\n{shlex.join(self.arguments)}"


def tasks_of(evaluated: PlannedEvaluation | None, plan: Plan, store: Store, model: Path) -> list[Task]:
    """Of each evaluation that is done: the YAML files that lm-eval reads, the functions and documents that they name.

    Args:
        model: a folder with its tokenizer.
    """
    out: list[Task] = []
    for benchmark, key in evaluated.evaluations.items() if evaluated else ():
        manifest = store.manifest(key)
        if manifest is None:
            continue
        names, files = _task_files(store.artifact(key), manifest["files"])
        spec = plan.jobs[key].spec
        assert isinstance(spec, EvaluationSpec)
        fits = files and sum(files.values()) <= LARGEST
        folder = f"evaluation/{_folder_name(benchmark, [one.folder for one in out])}" if fits else ""
        arguments = f"pretrained=../..,dtype={spec.dtype}"
        corpus = plan.jobs[key].parents.get("corpus")  # a task of lm-eval has none
        shown = example_of(corpus, store, model) if corpus else None
        if shown:
            arguments += f",add_bos_token={shown.special_tokens}"
        command = ["lm_eval", "run", "--model", "hf", "--model_args", arguments, "--include_path", "."]
        command += ["--tasks", ",".join(names), "--batch_size", str(spec.batch_size)]
        spaced = isinstance(spec.benchmark, ChoiceSpec) and bool(shown and shown.prompt[-1:].isspace())
        out.append(Task(benchmark, key, folder, files if fits else {}, command, spaced))
    return out


def _task_files(artifact: Path, files: Mapping[str, Any]) -> tuple[list[str], dict[str, int]]:
    """Names of the tasks, and their files with the bytes of each."""
    names: list[str] = []
    found: dict[str, int] = {}
    for name in files:
        task = read_task(artifact / name).settings if name.endswith(".yaml") else {}
        if "task" in task:
            names.append(task["task"])
            documents = task.get("dataset_kwargs", {}).get("data_files", {}).values()
            functions = [one for one in files if one.endswith(".py") and "/" not in one]
            found |= {one: files[one]["bytes"] for one in (name, *documents, *functions) if one in files}
    return names, found


def _folder_name(benchmark: str, taken: list[str]) -> str:
    name = re.sub(r"[^\w-]", "_", benchmark)
    while f"evaluation/{name}" in taken:
        name += "_"
    return name
