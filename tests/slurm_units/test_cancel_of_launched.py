"""`clpd cancel`: whole tasks, this ablation's alone, and a word on who waits for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from canned_slurm import TINY, CannedSlurm
from click.testing import Result
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError

QUEUE = [
    "200_0|200|RUNNING|None|clpd:LAUNCH/0",
    "200_1|202|COMPLETING|None|clpd:LAUNCH/0",
    "201|201|PENDING|Dependency|clpd:LAUNCH/1",
    "300|300|PENDING|Resources|of somebody else",
]


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CannedSlurm:
    canned = CannedSlurm(tmp_path, monkeypatch)
    canned.launch(
        [["model small", "model large"], ["initial weights/0"]], [["student clpd/0", "evaluation clpd/0 on sums"]]
    )
    canned.squeue = list(QUEUE)
    return canned


def cancel(slurm: CannedSlurm, *words: str) -> Result:
    return CliRunner().invoke(app, ["cancel", str(TINY), *words, "--store", str(slurm.store.root)])


def test_all_living_tasks_of_the_ablation_go_and_no_others_by_a_canned_squeue(slurm: CannedSlurm) -> None:
    done = cancel(slurm, "--yes")
    assert done.exit_code == 0, done.output
    assert sorted(slurm.cancelled) == ["200_0", "201"]
    assert "200_0 running: model small, model large" in done.output
    assert "leaves a checkpoint" in done.output
    assert "Warning" not in done.output


def test_a_cell_takes_its_own_tasks_alone_by_a_canned_squeue(slurm: CannedSlurm) -> None:
    cancel(slurm, "clpd/0", "--yes")
    assert slurm.cancelled == ["201"]
    assert cancel(slurm, "clpd/9", "--yes").exit_code != 0


def test_nothing_goes_without_a_yes_where_nobody_can_be_asked(slurm: CannedSlurm) -> None:
    done = cancel(slurm)
    assert isinstance(done.exception, UserError)
    assert "--yes" in str(done.exception)
    assert slurm.cancelled == []


def test_jobs_that_wait_for_what_goes_are_named_by_a_canned_squeue(slurm: CannedSlurm) -> None:
    other = slurm.launch([["student teacher_scheduling/0"]], ablation="other")
    slurm.squeue = [*QUEUE, f"400|400|PENDING|Dependency|clpd:{other.id}/0"]
    done = cancel(slurm, "--yes")
    assert f"400 (launch {other.id})" in done.output
    assert "400" not in slurm.cancelled


def test_what_is_done_already_is_waited_for_by_nobody(slurm: CannedSlurm) -> None:
    other = slurm.launch([["targets of small on sums"]], ablation="other")
    slurm.squeue = [*QUEUE, f"400|400|PENDING|Dependency|clpd:{other.id}/0"]
    for label in ("model small", "model large"):
        slurm.publish(label, 1.0)
    assert "Warning" not in cancel(slurm, "--yes").output


def test_launches_of_other_users_are_left_to_them(slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    done = cancel(slurm, "--yes")
    assert "who alone can cancel them" in done.output
    assert slurm.cancelled == []


def test_without_launches_slurm_is_not_asked_to_cancel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canned = CannedSlurm(tmp_path, monkeypatch)
    done = cancel(canned, "--yes")
    assert (done.exit_code, canned.calls) == (0, [])
    assert "nothing to cancel" in done.output
