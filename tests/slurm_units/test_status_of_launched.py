"""`clpd status` of a plan that was launched: what waits where, what is in no job, what to type now."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from canned_slurm import TINY, CannedSlurm
from typer.testing import CliRunner

from clpd_bench.cli.app import app


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CannedSlurm:
    return CannedSlurm(tmp_path, monkeypatch)


def status(slurm: CannedSlurm, *words: str) -> str:
    command = ["status", str(TINY), "--store", str(slurm.store.root), *words]
    done = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


def found(slurm: CannedSlurm) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(status(slurm, "--json"))
    return {**shown, "by_label": {job["label"]: job for job in shown["jobs"]}}


def test_without_launches_slurm_is_not_asked(slurm: CannedSlurm) -> None:
    assert f"Next: clpd run {TINY}" in status(slurm)
    assert slurm.calls == []


def test_open_jobs_of_living_tasks_are_queued_and_others_told_by_a_canned_squeue(slurm: CannedSlurm) -> None:
    slurm.launch([["model small"], ["model large", "initial weights/0"]], [["student sft/0"]])
    slurm.publish("corpus sums", 1.0)
    slurm.lose("model small", "13900")
    slurm.squeue = [
        "13908_0|13908|PENDING|Priority|clpd:LAUNCH/0",
        "13908_1|13926|RUNNING|None|clpd:LAUNCH/0",
        "13909|13909|COMPLETED|None|clpd:LAUNCH/1",
        "77|77|PENDING|Resources|of somebody else",
    ]
    seen = found(slurm)
    jobs = seen["by_label"]
    assert jobs["model small"]["state"] == "queued"
    assert jobs["model small"]["task"] == {"id": "13908_0", "state": "PENDING", "reason": "Priority"}
    assert jobs["initial weights/0"]["task"]["id"] == "13908_1"
    assert jobs["student sft/0"]["state"] == "pending"
    left = {job["key"] for job in seen["jobs"] if job["state"] == "pending"}
    assert set(seen["in_no_task"]) == left
    text = status(slurm)
    assert "3 pending jobs are in Slurm: 2 behind others in a running job, 1 Priority" in text
    again = f"clpd launch {TINY} --site site.yaml"
    assert f"{len(left)} jobs are in no Slurm job: {again}" in text
    assert text.endswith(f"Next: {again}\n")
    slurm.calls.clear()
    status(slurm)
    assert slurm.calls == ["squeue"]


def test_what_a_failed_job_holds_up_is_neither_queued_nor_to_be_launched(slurm: CannedSlurm) -> None:
    slurm.launch([["model small"]], [["targets of small on sums"]])
    with slurm.store.claim(slurm.key("model small")) as attempt:
        attempt.fail(ValueError("no"))
    slurm.squeue = ["13909|13909|PENDING|Dependency|clpd:LAUNCH/1"]
    seen = found(slurm)
    held = slurm.key("targets of small on sums")
    assert seen["by_label"]["targets of small on sums"]["state"] == "pending"
    assert held not in seen["in_no_task"]
    assert status(slurm).endswith(
        f"Next: clpd retry {TINY}, once the cause is gone, then clpd launch {TINY} --site site.yaml\n"
    )


def test_when_squeue_fails_it_is_said_and_the_disk_still_tells_by_a_canned_squeue(slurm: CannedSlurm) -> None:
    slurm.launch([["model small"]])
    slurm.publish("corpus sums", 1.0)
    slurm.squeue = None
    text = status(slurm)
    assert "Slurm's queue is not known, since squeue failed: Unable to contact slurm controller" in text
    assert "in no Slurm job" not in text
    assert text.endswith(f"Next: clpd status {TINY}, once Slurm answers\n")
    assert found(slurm)["counts"]["corpus"] == {"done": 1}


def test_attempt_whose_slurm_job_is_gone_is_lost_at_once_by_a_canned_squeue(
    slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm.launch([["model small"]])
    slurm.in_job("13925", "13908_0")
    slurm.store.claim(slurm.key("model small"))
    slurm.outside()
    # As one on another node would look from here.
    owner = slurm.store.root / "attempts" / slurm.key("model small") / "1" / "owner.json"
    owner.write_text(json.dumps({**json.loads(owner.read_text()), "host": "elsewhere"}))
    slurm.squeue = ["13908_0|13925|RUNNING|None|clpd:LAUNCH/0"]
    assert found(slurm)["by_label"]["model small"]["state"] == "running"
    # What pends of an array has the number that the element that ran last has, too.
    slurm.squeue = ["13908_0|13925|CANCELLED|None|clpd:LAUNCH/0", "13908_1|13925|PENDING|Priority|clpd:LAUNCH/0"]
    assert found(slurm)["by_label"]["model small"]["state"] == "lost"
    # Of another user's jobs, and of another cluster's, this squeue knows nothing.
    monkeypatch.setattr(os, "getuid", lambda: owner.stat().st_uid + 1)
    assert found(slurm)["by_label"]["model small"]["state"] == "running"
    monkeypatch.undo()


def test_squeue_of_another_cluster_says_nothing_of_an_attempt(
    slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm.launch([["model small"]])
    slurm.in_job("13925", cluster="other")
    slurm.store.claim(slurm.key("model small"))
    slurm.outside()
    owner = slurm.store.root / "attempts" / slurm.key("model small") / "1" / "owner.json"
    owner.write_text(json.dumps({**json.loads(owner.read_text()), "host": "elsewhere"}))
    assert found(slurm)["by_label"]["model small"]["state"] == "running"
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "other")
    assert found(slurm)["by_label"]["model small"]["state"] == "lost"


def test_lost_jobs_are_explained_by_a_canned_sacct(slurm: CannedSlurm) -> None:
    slurm.launch([["model small"], ["model large"]], [["initial weights/0"]])
    slurm.lose("model small", "12110", "12092_1")
    slurm.lose("model large", "12109", "12092_0")
    slurm.lose("initial weights/0", "12111")
    slurm.sacct = [
        "12092_0|CANCELLED by 0|0:0|00:00:39",
        "12092_1|OUT_OF_MEMORY|0:125|00:00:39",
        "12111|FAILED|9:0|00:00:05",
    ]
    slurm.calls.clear()
    why = {one["label"]: one for one in json.loads(status(slurm, "--failures", "--json"))}
    assert slurm.calls.count("sacct") == 1
    assert why["model small"]["reason"] == "Slurm job 12092_1: OUT_OF_MEMORY after 00:00:39 (exit code 0:125)"
    assert "Raise memory" in why["model small"]["what_to_do"]
    assert "CANCELLED by root" in why["model large"]["reason"]
    assert "was cancelled" in why["model large"]["cause"]
    assert "SIGKILL" in why["initial weights/0"]["cause"]
    # Without accounting the rest is said as before.
    slurm.sacct = None
    why = {one["label"]: one for one in json.loads(status(slurm, "--failures", "--json"))}
    assert "without a word" in why["model small"]["reason"]
    assert "clpd launch again" in why["model small"]["what_to_do"]


def test_slurms_accounts_are_not_asked_where_nothing_of_slurm_is_lost(slurm: CannedSlurm) -> None:
    slurm.launch([["model small"]])
    with slurm.store.claim(slurm.key("model small")):
        pass
    assert "lost: model small" in status(slurm, "--failures")
    assert "sacct" not in slurm.calls


def test_gpu_hours_are_those_of_the_profile_that_the_launch_recorded(slurm: CannedSlurm) -> None:
    slurm.launch([["initial weights/0"]], gpus=2.0)
    slurm.in_job("13925")
    slurm.publish("initial weights/0", 3600.0)
    slurm.outside()
    hours = found(slurm)["hours"]
    assert (hours["used"], hours["used_gpu"]) == (3600.0, 7200.0)
    assert "Used 1 h (2.0 GPU-hours)" in status(slurm)


def test_jobs_run_here_cost_no_gpu_hours_of_slurm(slurm: CannedSlurm) -> None:
    slurm.launch([["initial weights/0"]], gpus=2.0)
    slurm.publish("initial weights/0", 3600.0)
    assert found(slurm)["hours"]["used_gpu"] == 0.0


def test_who_runs_a_launched_plan_by_hand_is_told_to_wait_not_to_launch(slurm: CannedSlurm) -> None:
    slurm.launch([["model small"]])
    with slurm.store.claim(slurm.key("corpus sums")):
        assert status(slurm).endswith(f"Next: clpd status {TINY} --watch\n")
