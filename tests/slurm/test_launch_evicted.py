"""A student that Slurm takes off its node goes on where it was, in the same place of the queue."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_cluster import Cluster, MakeCluster
from slurm_launch import Launch

STUDENT = "student data_ordering/0"


@pytest.mark.soak
def test_a_student_whose_time_is_up_is_requeued_and_resumes(
    cluster: Cluster, tmp_path: Path, uninterrupted: dict[str, dict[str, str]]
) -> None:
    # Slurm counts time in minutes, and warns on its own clock; with little time left all batches are cut short.
    launch = Launch(cluster, tmp_path, profile={"time": 1}, warning_seconds=15)
    launch.launch()
    launch.wait_for_checkpoint(STUDENT)
    job = launch.slurm_job(STUDENT)
    launch.wait_until_done()
    launch.look()
    launch.equals(uninterrupted)
    assert launch.attempts(STUDENT) >= 2
    log = next((launch.store / "launches").glob(f"*/logs/{cluster.job(job).id}_*log.out")).read_text()
    assert "asked to leave; requeueing" in log


@pytest.mark.soak
def test_a_preempted_student_is_requeued_and_resumes(
    cluster: Cluster, tmp_path: Path, uninterrupted: dict[str, dict[str, str]]
) -> None:
    launch = Launch(cluster, tmp_path)
    launch.launch()
    launch.wait_for_checkpoint(STUDENT)
    job = launch.slurm_job(STUDENT)
    other = cluster.sbatch("-p", "high", "-N2", "--exclusive", "-o", "/dev/null", "--wrap", "sleep 4")
    cluster.wait_for_state(other, "RUNNING", "COMPLETED")
    assert launch.states()[STUDENT] in ("pending", "queued", "lost")
    assert cluster.job(job).state in ("PENDING", "REQUEUED", "COMPLETING", "PREEMPTED")
    launch.wait_until_done()
    launch.look()
    launch.equals(uninterrupted)
    assert launch.attempts(STUDENT) == 2


@pytest.mark.soak
def test_with_grace_a_preempted_student_leaves_a_checkpoint_first(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = make_cluster(grace=20, requeue_delay=10)
    launch = Launch(cluster, tmp_path, sets=["student.training.checkpoint_seconds=3600"])
    launch.launch()
    launch.wait_for(lambda states: states[STUDENT] == "running", f"{STUDENT} runs")
    cluster.sbatch("-p", "high", "-N2", "--exclusive", "-o", "/dev/null", "--wrap", "sleep 4")
    launch.wait_for_checkpoint(STUDENT)
    launch.wait_until_done()
    launch.look()
    assert launch.attempts(STUDENT) == 2
