"""What is a hub's, pinned, and not in its cache, is told before anything is submitted; so is a cache out of reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm.preflight.files import check_inputs, check_weights_everywhere
from clpd_bench.outside.lm_eval_tasks import find_task, own_tasks
from clpd_bench.plan.build import point_plans
from clpd_bench.plan.lock import Lock
from clpd_bench.plan.plan import Plan, whole

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GSM8K = "openai/gsm8k"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def plan() -> Plan:
    """On GSM8K as a corpus and as lm-eval's task, both pinned."""
    found = find_task("gsm8k", own_tasks() / "gsm8k")
    assert found is not None
    source = "corpora.many.source={name: gsm8k, revision: main}"
    benchmarks = "evaluation.benchmarks={sums: {corpus: sums}, named: {task: gsm8k}}"
    lock = Lock.model_validate(
        {
            "lm_eval": "0.4.13",
            "datasets": {GSM8K: {"main": COMMIT}},
            "tasks": {"gsm8k": {"file": "gsm8k/gsm8k.yaml", "sha256": found.sha256, "data": found.data}},
        }
    )
    made = whole(point_plans(load_ablation(SMALL, [source, benchmarks]), SMALL, lock))
    return Plan.from_json(json.loads(json.dumps(made.to_json())))


def put(cache: Path, *names: str) -> None:
    for name in names:
        file = cache / "datasets--openai--gsm8k" / "snapshots" / COMMIT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("---\nconfigs: [{config_name: main, data_files: main/*}]\n---\n" if "README" in name else "")


def test_data_sets_and_data_of_tasks_that_are_not_in_the_cache_are_fatal(plan: Plan, cache: Path) -> None:
    corpora = {key for key, job in plan.jobs.items() if job.kind == "corpus"}
    for todo in (corpora, {*plan.jobs} - corpora):
        (finding,) = check_inputs(plan, todo)
        assert finding.level == "fatal"
        assert f"data set {GSM8K} at revision {COMMIT} is not in the hub's cache" in finding.what
        assert "clpd lock FILE --fetch" in finding.fix
    put(cache, "README.md", "main/train-0.parquet")
    (finding,) = check_inputs(plan, corpora)
    assert "has no file main/test-*.parquet" in finding.what
    put(cache, "main/test-0.parquet")
    assert check_inputs(plan, {*plan.jobs}) == []


def test_a_cache_that_nodes_do_not_see_is_fatal_while_a_job_reads_it(plan: Plan, cache: Path, tmp_path: Path) -> None:
    evaluations = {key for key, job in plan.jobs.items() if job.kind == "evaluation"}
    (finding,) = check_weights_everywhere(plan, evaluations, (tmp_path / "shared",))
    assert (finding.level, str(cache) in finding.what, "HF_HUB_CACHE" in finding.fix) == ("fatal", True, True)
    assert check_weights_everywhere(plan, evaluations, (tmp_path,)) == []
    models = {key for key, job in plan.jobs.items() if job.kind == "model"}
    assert check_weights_everywhere(plan, models, (tmp_path / "shared",)) == []
