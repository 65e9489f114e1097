"""Tasks of lm-eval by name: here of a folder, with their data in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from command_line import command_line
from evaluated import EVALUATION

from clpd_bench.distillation.context import Context
from clpd_bench.errors import UserError
from clpd_bench.evaluation.items import document_ids
from clpd_bench.evaluation.load_task import loaded_by_name
from clpd_bench.grid.load import load_ablation
from clpd_bench.jobs import evaluation
from clpd_bench.jobs.body import Measured
from clpd_bench.plan.build import build_plan
from clpd_bench.settings.specs import EvaluationSpec, TaskSpec

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
MEAN = {"aggregation": "mean", "higher_is_better": True}
TASKS: dict[str, dict[str, Any]] = {
    "sums": {"fewshot_split": "shown", "metric_list": [{"metric": "exact_match", **MEAN}]},
    "upside_down": {"metric_list": [{"metric": "exact_match", **MEAN, "higher_is_better": False}]},
    "reading": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "filter_list": None,
        "metric_list": [{"metric": "bits_per_byte"}],
    },
    "far_away": {"dataset_path": "nobody/nothing", "dataset_kwargs": {}},
}


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Path:
    """The tasks above, made of the one that the evaluation of the corpus left, and two groups of them."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "data").mkdir()
    documents = pq.read_table(folders["evaluation"] / "documents.parquet").to_pylist()
    asked = [{name: one[name] for name in ("id", "prompt", "answer")} for one in documents]
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(one) + "\n" for one in asked))
    shown = [{"id": str(i), "prompt": f"{i}+{i}+{i}?", "answer": "0"} for i in range(4)]
    (folder / "data" / "shown.jsonl").write_text("".join(json.dumps(one) + "\n" for one in shown))
    written = yaml.safe_load((folders["evaluation"] / "clpd_test.yaml").read_text().replace("!function ", ""))
    behind = {"function": "regex", "regex_pattern": ":([^\n]*)"}
    written["filter_list"] = [{"name": "strict", "filter": [behind, {"function": "take_first"}]}]
    del written["num_fewshot"], written["process_results"]
    written["dataset_path"] = "json"
    written["dataset_kwargs"] = {"data_files": {"test": "data/test.jsonl", "shown": "data/shown.jsonl"}}
    for name, changes in TASKS.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**written, **changes, "task": name, "tag": "all_of_them"}))
    (folder / "both.yaml").write_text(yaml.safe_dump({"group": "both", "task": ["sums", "reading"]}))
    return folder


def planned(folder: Path, **benchmark: Any) -> EvaluationSpec:
    """As the plan has it."""
    wanted = {
        "benchmarks": {"sums": {"corpus": "sums", "max_new_tokens": 9}, "other": {"include": str(folder), **benchmark}}
    }
    wanted |= {"batch_size": EVALUATION.batch_size}
    plan = build_plan(load_ablation(SMALL, [f"evaluation={json.dumps(wanted)}"]), SMALL)
    (spec,) = {
        spec.model_dump_json(): spec
        for job in plan.jobs.values()
        if isinstance(spec := job.spec, EvaluationSpec) and isinstance(spec.benchmark, TaskSpec)
    }.values()
    return spec


def evaluated(folders: dict[str, Path], out: Path, spec: EvaluationSpec) -> Measured:
    out.mkdir(parents=True)
    return evaluation.run(spec, {"model": folders["model"]}, out, Context(out.with_name("checkpoints")))


def test_a_task_by_name_equals_the_command_line_item_by_item(
    folders: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    """With its shots, the first of its documents alone, its data beside its file."""
    measured = evaluated(folders, tmp_path / "out", planned(folder, task="sums", shots=1, limit=6))
    # Its targets are answers alone, and its filter wants a colon before one.
    assert measured.details == {"items": 6, "gold_unchecked": ["strict"]}
    samples = command_line(folders["model"], folder, "sums", tmp_path / "theirs", "--num_fewshot", "1", "--limit", "6")
    theirs = {(s["doc_hash"][:16], s["filter"]): (s["exact_match"], s["resps"][0][0]) for s in samples}
    rows = pq.read_table(tmp_path / "out" / "items.parquet").to_pylist()
    assert {(row["item"], row["filter"]): (row["score"], row["output"]) for row in rows} == theirs
    assert {(row["metric"], row["difficulty"]) for row in rows} == {("exact_match", None)}
    assert {row["truncated"] for row in rows} <= {False, True}
    assert len(rows) == 6
    assert all(s["arguments"]["gen_args_0"]["arg_0"].count("?") == 2 for s in samples), "a worked example stands before"


@pytest.mark.parametrize(
    ("task", "words", "fix"),
    [
        ("summs", "there is no task 'summs'", ""),
        ("both", "'both' is a group of tasks", "sums, reading"),
        ("all_of_them", "is a group of tasks", "far_away, reading, sums, upside_down"),
        ("far_away", "data set nobody/nothing at revision main is not in the hub's cache", "clpd lock FILE --fetch"),
        ("reading", "no metric that is a number an item and known here; it has bits_per_byte", "another task"),
        ("upside_down", "says that less exact_match is better", ""),
    ],
)
def test_a_task_that_cannot_be_a_benchmark_says_why(
    folders: dict[str, Path], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    task: str, words: str, fix: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=words) as caught:
        evaluated(folders, tmp_path / "out", planned(folder, task=task))
    assert fix in str(caught.value.fix or "")


def test_the_files_of_the_folder_are_in_the_key_and_where_it_lies_is_not(folder: Path, tmp_path: Path) -> None:
    def keys(where: Path) -> set[str]:
        spec = planned(where, task="sums")
        assert "data/test.jsonl" in spec.benchmark.include_hashes  # type: ignore[union-attr]
        wanted = f"evaluation.benchmarks={{sums: {{corpus: sums}}, t: {{task: sums, include: '{where}'}}}}"
        return {*build_plan(load_ablation(SMALL, [wanted]), SMALL).jobs}

    before = keys(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    assert keys(moved) == before
    with (moved / "data" / "test.jsonl").open("a") as file:
        file.write("\n")
    assert keys(moved) != before


def test_a_folder_that_changed_after_planning_is_not_evaluated(
    folders: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    spec = planned(folder, task="sums")
    (folder / "both.yaml").write_text("")
    with pytest.raises(UserError, match=r"has changed since it was planned: both\.yaml"):
        evaluated(folders, tmp_path / "out", spec)


def test_documents_that_are_there_twice_are_two_items() -> None:
    samples = [{"filter": f, "doc_hash": h} for f in ("a", "b") for h in ("x" * 20, "y" * 20, "x" * 20)]
    x, y = "x" * 16, "y" * 16
    assert document_ids(samples) == [x, y, f"{x}-2"] * 2


@pytest.mark.parametrize(
    ("benchmark", "words"),
    [
        ("{}", "wants `corpus`"),
        ("{corpus: sums, task: gsm8k}", "wants `corpus`"),
        ("{task: gsm8k, max_new_tokens: 9}", "has no `max_new_tokens`"),
        ("{task: gsm8k, kind: choice}", "leave `kind` out"),
        ("{corpus: sums, kind: choice, max_new_tokens: 9}", "has no `max_new_tokens`; it may have floor"),
        ("{corpus: sums, max_new_tokens: 9, shots: 2}", "has no `shots`"),
    ],
)
def test_settings_of_another_kind_of_benchmark_are_refused(benchmark: str, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        load_ablation(SMALL, [f"evaluation.benchmarks.sums={benchmark}"])


def test_a_task_of_lm_evals_that_is_another_than_the_planned_one_is_not_loaded() -> None:
    spec = TaskSpec(task="gsm8k", sha256="0" * 64)
    with pytest.raises(UserError, match="'gsm8k' is another here than the one that was planned"), loaded_by_name(spec):
        pass
