"""`clpd show CELL --logs`: the newest attempt's log and its Slurm job's, or why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from canned_slurm import CannedSlurm

from clpd_bench.launch.slurm import records
from clpd_bench.launch.slurm.endings import Accounts
from clpd_bench.launch.slurm.view import view_of
from clpd_bench.launch.watch.logs import logs_of


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CannedSlurm:
    return CannedSlurm(tmp_path, monkeypatch)


def text(slurm: CannedSlurm, label: str) -> str:
    key, root = slurm.key(label), slurm.store.root
    return logs_of(slurm.plan.jobs[key], slurm.store, view_of([key], root), Accounts(root)).text()


def test_the_end_of_the_attempts_log_and_of_its_own_slurm_jobs_are_shown(slurm: CannedSlurm) -> None:
    launch = slurm.launch([["model small"]])
    slurm.lose("model small", "120", "120_3")
    last = slurm.store.last_attempt(slurm.key("model small"))
    last.log.write_text("".join(f"line {i}\n" for i in range(40)))
    logs = records.logs(records.folder(slurm.store.root, launch.id))
    logs.mkdir()
    (logs / "120_3_0_log.out").write_text("its own\n")
    for name in ("120_30_0_log.out", "120_3_submission.sh", "120_2_0_log.out"):
        (logs / name).write_text("another's\n")
    shown = text(slurm, "model small")
    assert str(last.log) in shown
    assert str(logs / "120_3_0_log.out") in shown
    assert "| line 39" in shown
    assert "| line 10\n" in shown
    assert "| line 9\n" not in shown
    assert "its own" in shown
    assert "another's" not in shown


def test_before_any_attempt_it_says_where_the_job_waits_by_a_canned_squeue(slurm: CannedSlurm) -> None:
    slurm.launch([["model small"]], [["model large"]])
    slurm.squeue = ["120_0|120|PENDING|Dependency|clpd:LAUNCH/0"]
    assert text(slurm, "model small") == "model small: no attempt yet; waits in Slurm job 120_0: Dependency"
    assert text(slurm, "model large") == "model large: no attempt yet; in no Slurm job"


def test_without_launches_slurm_is_not_asked_for_logs(slurm: CannedSlurm) -> None:
    assert text(slurm, "model small") == "model small: no attempt yet"
    assert slurm.calls == []
