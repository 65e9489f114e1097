"""`clpd status --failures`: every failed or lost job with its cause, place and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from launch_run import TINY
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.watch.status import status_of
from clpd_bench.launch.worker import work
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store


def _failures(store: Path, *words: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(app, ["status", str(TINY), "--failures", "--json", "--store", str(store), *words])
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _text(store: Path, *words: str) -> str:
    command = ["status", str(TINY), "--failures", "--store", str(store), *words]
    return CliRunner().invoke(app, command, env={"COLUMNS": "200"}).stdout


def test_diverged_training_says_step_stage_teacher_and_examples(tmp_path: Path) -> None:
    setting = "models.small.training.learning_rate=1e30"
    explode = ("--set", setting)
    plan = build_plan(load_ablation(TINY, [setting]), TINY)
    (key,) = (key for key, job in plan.jobs.items() if job.label == "model small")
    work(plan, Store(tmp_path), list(plan.ancestors(key)), lambda: False)
    (failure,) = _failures(tmp_path, *explode)
    assert (failure["label"], failure["state"], failure["attempt"]) == ("model small", "failed", 1)
    assert failure["reason"].startswith("Diverged: the ")
    for word in ("at step ", " of 60, stage 1, no teacher; examples "):
        assert word in failure["reason"]
    assert "no finite number" in failure["cause"]
    assert "learning rate" in failure["what_to_do"]
    assert failure["where"].split(" in ")[0].split(":")[0].endswith("distillation/train.py")
    assert failure["node"]
    assert failure["last_lines"][-1].startswith("clpd_bench.distillation.train.Diverged: the ")
    shown = _text(tmp_path, *explode)
    for word in ("failed: model small, attempt 1 on ", "what to do", "where ", "    | ", failure["log"]):
        assert word in shown


def test_lost_full_and_damaged_jobs_are_listed_with_their_causes_and_others_are_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    lost, full, damaged, running = list(build_plan(load_ablation(TINY, []), TINY).jobs)[:4]
    with store.claim(lost) as attempt:
        attempt.log.write_text("".join(f"line {i}\n" for i in range(20)))
    with store.claim(full) as attempt:
        attempt.lose_to_full_disk(OSError(28, "No space left on device"))
    (tmp_path / "artifacts" / damaged).mkdir(parents=True)
    with store.claim(running):
        found = _failures(tmp_path)
    assert [failure["key"] for failure in found] == [lost, full, damaged]
    assert [failure["state"] for failure in found] == ["lost", "lost", "failed"]
    assert "SIGKILL" in found[0]["cause"]
    assert found[0]["last_lines"] == [f"line {i}" for i in range(12, 20)]
    assert "the disk is full" in found[1]["cause"]
    assert "No space left" in found[1]["reason"]
    assert "clpd store verify" in found[2]["what_to_do"]


def test_job_evicted_until_given_up_is_said_to_want_more_time(tmp_path: Path) -> None:
    store, plan = Store(tmp_path), build_plan(load_ablation(TINY, []), TINY)
    given_up, waiting, *_ = plan.jobs
    for key, times in ((given_up, 5), (waiting, 4)):
        for _ in range(times):
            with store.claim(key) as attempt:
                attempt.evict()
    states = {job.job.key: job for job in status_of(plan, store).jobs}
    assert states[waiting].state == "pending"
    assert states[given_up].state == "lost"
    assert (
        "the scheduler ended it 5 times before it could leave a checkpoint: raise the profile's time"
        in states[given_up].reason
    )
    (failure,) = _failures(tmp_path)
    assert failure["key"] == given_up
    assert "Slurm" in failure["cause"]
    assert "clpd retry" in failure["what_to_do"]


def test_what_needs_a_job_that_was_lost_too_often_is_held_up(tmp_path: Path) -> None:
    """Of one that was lost once it is not said: whoever comes next tries it again."""
    store, plan = Store(tmp_path), build_plan(load_ablation(TINY, []), TINY)
    given_up, lost_once = (next(k for k, names in plan.models.items() if names == [n]) for n in ("large", "small"))
    for key, times in ((given_up, 5), (lost_once, 1)):
        for _ in range(times):
            with store.claim(key):
                pass
    status = status_of(plan, store)
    assert [job.job.key for job in status.in_state("lost")] == [k for k in plan.jobs if k in (given_up, lost_once)]
    assert len(plan.descendants(given_up)) > 1
    assert status.held == plan.descendants(given_up)


def test_without_failures_it_says_so(tmp_path: Path) -> None:
    assert _failures(tmp_path) == []
    assert _text(tmp_path) == "nothing failed, nothing is lost\n"
