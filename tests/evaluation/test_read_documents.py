"""No model is evaluated on what it has read: documents of tasks, test questions of a corpus, worked examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from evaluated import EVALUATION

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation.context import Context
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.jobs import evaluation
from clpd_bench.launch.checks import refuse_leaky_tasks
from clpd_bench.launch.prepare import declare, make_data
from clpd_bench.plan.build import build_plan, point_plans
from clpd_bench.settings.specs import EvaluationSpec, TaskSpec
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
FRESH = [f"{a}*{b}?" for a in range(4) for b in range(4)]


def task_folder(folder: Path, questions: list[str], **changed: Any) -> Path:
    """A task of these questions, put as `Please answer: ...`."""
    folder.mkdir()
    for name, asked in (("test", questions), ("shown", FRESH[:6])):
        lines = (json.dumps({"question": question, "answer": "1"}) + "\n" for question in asked)
        (folder / f"{name}.jsonl").write_text("".join(lines))
    task = {
        "task": "asked",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "test.jsonl", "shown": "shown.jsonl"}},
        "test_split": "test",
        "fewshot_split": "shown",
        "output_type": "generate_until",
        "doc_to_text": "Please answer: {{question}}",
        "doc_to_target": "answer",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 2},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        **changed,
    }
    (folder / "asked.yaml").write_text(yaml.safe_dump(task))
    return folder


def with_task(tasks: Path, **benchmark: Any) -> list[str]:
    asked = {"task": "asked", "include": str(tasks), **benchmark}
    return [f"evaluation.benchmarks={json.dumps({'sums': {'corpus': 'sums'}, 'other': asked})}"]


def task_spec(tasks: Path, **benchmark: Any) -> EvaluationSpec:
    plan = build_plan(load_ablation(SMALL, with_task(tasks, **benchmark)), SMALL)
    return next(
        job.spec
        for job in plan.jobs.values()
        if isinstance(job.spec, EvaluationSpec) and isinstance(job.spec.benchmark, TaskSpec)
    )


def run(spec: EvaluationSpec, inputs: dict[str, Path], out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that may not get as far as asking its model."""
    monkeypatch.setattr(evaluation, "run_harness", lambda *_: pytest.fail("the model was asked"))
    out.mkdir()
    evaluation.run(spec, inputs, out, Context(out.with_name("checkpoints")))


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_task_whose_documents_the_model_has_read_is_refused_before_it_is_asked(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str
) -> None:
    questions = read_split(folders["corpus"], split).texts("question")
    spec = task_spec(task_folder(tmp_path / "tasks", [*FRESH[6:], questions[0]]))
    inputs = {"model": folders["model"], "read.1": folders["corpus"]}
    with pytest.raises(UserError, match="1 of 11 documents of task 'asked' stand in corpus") as told:
        run(spec, inputs, tmp_path / "out", monkeypatch)
    assert f"as {questions[0]!r} ({split})" in str(told.value)


def test_a_corpus_whose_test_questions_the_model_has_read_is_refused_before_it_is_asked(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that a worker is given may come from elsewhere than from a launch that looked."""
    read = tmp_path / "read"
    read.mkdir()
    for name, split in (("train", "test"), ("validation", "validation"), ("test", "train")):
        (read / f"{name}.parquet").write_bytes((folders["corpus"] / f"{split}.parquet").read_bytes())
    (read / "corpus.json").write_bytes((folders["corpus"] / "corpus.json").read_bytes())
    with pytest.raises(UserError, match=r"10 of 10 test questions stand in corpus read, which the model has read"):
        run(EVALUATION, {**folders, "read.1": read}, tmp_path / "out", monkeypatch)


def test_a_task_that_shows_what_it_tests_is_refused_before_the_model_is_asked(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = task_folder(tmp_path / "tasks", FRESH, fewshot_split="test")
    with pytest.raises(UserError, match="shots: 16 of 16 documents of task 'asked' are among those that it takes"):
        run(task_spec(tasks, shots=2), {"model": folders["model"]}, tmp_path / "out", monkeypatch)


def test_a_task_whose_documents_a_model_of_the_plan_reads_is_refused_before_any_training(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    plan = build_plan(load_ablation(SMALL), SMALL)
    make_data(plan, store)
    asked = {name: read_split(store.artifact(key), "train").texts("question") for name, key in plan.corpora.items()}
    seen = sorted({*asked["many"]} - {*asked["sums"]})[:3]
    points = point_plans(load_ablation(SMALL, with_task(task_folder(tmp_path / "leaky", [*FRESH, *seen]))), SMALL)
    # Read by the teachers alone, whose targets the students learn.
    with pytest.raises(UserError, match="3 of 19 documents of task 'asked' stand in corpus 'many'"):
        declare(points, store)
    clean = point_plans(load_ablation(SMALL, with_task(task_folder(tmp_path / "clean", FRESH))), SMALL)
    refuse_leaky_tasks([one.plan for one in clean], store)
