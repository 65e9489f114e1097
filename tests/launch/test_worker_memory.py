"""A worker's memory is that of one job, however many it goes through."""

from __future__ import annotations

import gc
import json
import platform
import statistics
import subprocess
import sys
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from launch_run import TINY
from transformers import PreTrainedModel
from worker_memory import anonymous

from clpd_bench.grid.load import load_ablation
from clpd_bench.launch import worker
from clpd_bench.launch.memory import give_memory_back
from clpd_bench.launch.processes import worker_environment
from clpd_bench.launch.worker import work
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store

MANY = Path(__file__).parent / "memory.yaml"
SCRIPT = Path(__file__).parent / "worker_memory.py"
FEW_STEPS = [f"{one}.training.steps=2" for one in ("models.small", "models.large", "student")]


@pytest.mark.soak
def test_a_workers_memory_is_flat_over_fifty_jobs(tmp_path: Path) -> None:
    plan = build_plan(load_ablation(MANY), MANY)
    (tmp_path / "plan.json").write_text(json.dumps(plan.to_json()))
    command = [sys.executable, SCRIPT, tmp_path / "plan.json", tmp_path / "store"]
    done = subprocess.run(command, env=worker_environment(), capture_output=True, text=True, check=True)
    after = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(after) == len(plan.jobs) > 50
    assert {job["outcome"] for job in after} == {"done"}
    smallest = min(file.stat().st_size for file in tmp_path.glob("store/artifacts/*/model.safetensors"))
    for what in ("student", "evaluation"):
        held = [job["bytes"] for job in after if job["label"].startswith(what)]
        first, last = statistics.median(held[1:11]), statistics.median(held[-10:])
        print(f"\nafter each {what}, MB:", *(round(size / 2**20) for size in held))
        assert last - first < smallest / 4, what


@pytest.mark.parametrize(
    "settings",
    [
        {"student.training.precision": "bfloat16", "student.training.activation_checkpointing": "true"},
        {"targets": "{live: true}", "curriculum.difficulty": "student_loss:small"},
        {"student.training.stop": "{metric: sequence_accuracy, at: 1, every: 1}"},
    ],
    ids=["half precision", "live teachers", "failing"],
)
def test_no_model_outlives_its_job_nor_waits_for_the_garbage_collector(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lm_eval.evaluator.add_env_info", lambda results: None)  # asks pip and others for seconds
    made: list[weakref.ref[PreTrainedModel]] = []
    alive: list[int] = []
    start = PreTrainedModel.__init__

    def recorded(model: PreTrainedModel, *args: Any, **more: Any) -> None:
        made.append(weakref.ref(model))
        start(model, *args, **more)

    monkeypatch.setattr(PreTrainedModel, "__init__", recorded)
    monkeypatch.setattr(worker, "give_memory_back", lambda: alive.append(sum(ref() is not None for ref in made)))
    sets = [*FEW_STEPS, *(f"{key}={value}" for key, value in settings.items())]
    plan = build_plan(load_ablation(TINY, sets), TINY)
    (last,) = (key for key, job in plan.jobs.items() if job.label == "evaluation clpd/0 on sums")
    store = Store(tmp_path)
    gc.disable()
    try:
        work(plan, store, list(plan.ancestors(last)), lambda: False)
    finally:
        gc.enable()
    assert store.state(last) == ("blocked" if "student.training.stop" in settings else "done")
    assert len(made) > 5
    assert not any(alive), alive
    assert not [name for name in sys.modules if name.startswith(str(tmp_path))]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have nothing to be asked")
def test_what_a_job_has_freed_goes_back_to_the_system() -> None:
    tensors, between = [], []
    for _ in range(64):
        # Not given a mapping of its own, which is given back at once: a larger one has been freed before.
        torch.empty(16 * 2**20, dtype=torch.uint8)
        tensors.append(torch.zeros(2**20, dtype=torch.uint8))
        between.append(bytes(2**12))
    used = anonymous()
    del tensors
    kept = anonymous()
    give_memory_back()
    assert used - kept < 32 * 2**20, "the allocator gives it back by itself, and this test shows nothing"
    assert used - anonymous() > 56 * 2**20


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.ring = self


def test_what_refers_to_itself_is_freed_after_a_job_that_imported_something(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    gone = weakref.ref(ring)
    del ring
    monkeypatch.setitem(sys.modules, "imported_by_the_job", ModuleType("imported_by_the_job"))
    give_memory_back()
    assert gone() is None
