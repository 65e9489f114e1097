"""Workers that a scheduler ends again and again, and what they leave."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from launch_run import TINY

from clpd_bench.grid.load import load_ablation
from clpd_bench.jobs import difficulty
from clpd_bench.launch.worker import work
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import TargetsSpec
from clpd_bench.store import Store, ledger

SETTINGS = [
    "curriculum.difficulty=student_loss:small",
    "evaluation.batch_size=1",
    *(f"{one}.training.steps=20" for one in ("models.small", "models.large", "student")),
]


class Impatient:
    """Asks to stop from the n-th time on that it is asked."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def __call__(self) -> bool:
        self.patience -= 1
        return self.patience < 0


def in_small_batches(job: Job) -> Job:
    spec = job.spec
    small = spec.model_copy(update={"batch_tokens": 600}) if isinstance(spec, TargetsSpec) else spec
    return dataclasses.replace(job, spec=small)


def test_jobs_evicted_again_and_again_leave_the_files_of_those_that_were_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(difficulty, "LOSS_BATCH_TOKENS", 600)
    monkeypatch.setattr("lm_eval.evaluator.add_env_info", lambda results: None)  # asks pip and others for seconds
    plan = build_plan(load_ablation(TINY, SETTINGS), TINY)
    plan = dataclasses.replace(plan, jobs={key: in_small_batches(job) for key, job in plan.jobs.items()})
    (last,) = (key for key, job in plan.jobs.items() if job.label == "evaluation clpd/0 on sums")
    keys = list(plan.ancestors(last))
    whole, evicted = Store(tmp_path / "whole"), Store(tmp_path / "evicted")
    work(plan, whole, keys, lambda: False)
    workers = 0
    # More patient each time: they are asked at each batch, of those that are read, too.
    while not evicted.is_done(last):
        workers += 1
        assert workers < 40
        work(plan, evicted, keys, Impatient(4 + workers), on_stop="evicted")
    endings: dict[str, set[ledger.Ending | None]] = {}
    for key in keys:
        job = plan.jobs[key]
        mine, reference = evicted.manifest(key), whole.manifest(key)
        assert mine
        assert reference
        assert _timeless(mine["files"]) == _timeless(reference["files"]), job.label
        found = {entry.ending for entry in ledger.entries(tmp_path / "evicted" / "attempts" / key)}
        endings.setdefault(job.kind, set()).update(found)
    assert all(
        endings[kind] == {"evicted", "published"} for kind in ("model", "targets", "difficulty", "evaluation")
    ), endings


def _timeless(files: dict[str, Any]) -> dict[str, Any]:
    """Without lm-eval's own results, in whose names and texts the time stands."""
    return {name: told for name, told in files.items() if not name.startswith("lm_eval/")}
