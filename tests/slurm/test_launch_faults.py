"""What can go wrong on a cluster, each on a real Slurm: after it the store is whole, `clpd status` says what is,
and the outcome is that of a run that nothing befell. `make soak`."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from slurm_cluster import Cluster, MakeCluster
from slurm_launch import Launch

from clpd_bench.launch.slurm import records

pytestmark = pytest.mark.soak
STUDENT = "student data_ordering/0"
Outcomes = dict[str, dict[str, str]]


def launched(cluster: Cluster, folder: Path) -> tuple[Launch, str]:
    """A launch with a student at work that has left a checkpoint, and its Slurm job."""
    launch = Launch(cluster, folder)
    launch.launch()
    launch.wait_for_checkpoint(STUDENT)
    return launch, launch.slurm_job(STUDENT)


def finish(launch: Launch, uninterrupted: Outcomes) -> None:
    launch.wait_until_done()
    launch.look()
    launch.equals(uninterrupted)


def test_a_cancelled_student_goes_on_with_the_next_launch(cluster: Cluster, tmp_path: Path, uninterrupted: Outcomes):
    launch, job = launched(cluster, tmp_path)
    cluster.scancel(job)
    cluster.wait_for_state(job, "CANCELLED")
    assert launch.states()[STUDENT] in ("pending", "lost")
    launch.launch()
    finish(launch, uninterrupted)
    assert launch.attempts(STUDENT) == 2


def test_a_student_killed_by_the_kernel_goes_on_with_the_next_launch(
    cluster: Cluster, tmp_path: Path, uninterrupted: Outcomes
):
    launch, job = launched(cluster, tmp_path)
    for pid in cluster.processes_of(job):
        os.kill(pid, signal.SIGKILL)
    cluster.wait_for_state(job, "FAILED")
    assert launch.states()[STUDENT] == "lost"
    launch.launch()
    finish(launch, uninterrupted)
    assert launch.attempts(STUDENT) == 2


def test_a_slurmd_that_comes_back_costs_nothing(cluster: Cluster, tmp_path: Path, uninterrupted: Outcomes):
    launch, job = launched(cluster, tmp_path)
    node = cluster.job(job).node
    cluster.kill_slurmd(node)
    assert launch.states()[STUDENT] in ("running", "done")
    cluster.start_slurmd(node)
    finish(launch, uninterrupted)
    assert launch.attempts(STUDENT) == 1


def test_a_student_whose_node_is_gone_for_good_resumes_on_another(
    make_cluster: MakeCluster, tmp_path: Path, uninterrupted: Outcomes
):
    cluster = make_cluster(conf_lines="SlurmdTimeout=5")
    launch, job = launched(cluster, tmp_path)
    node = cluster.job(job).node
    cluster.lose_node(node)
    assert launch.states()[STUDENT] in ("lost", "queued"), "its process is gone, and that shows before Slurm finds out"
    # What Slurm sent to the node before it noticed has failed to launch, and is in no job any more.
    launch.wait_for(lambda states: not launch.queue(), "the queue is empty", 300)
    if set(launch.states().values()) != {"done"}:
        assert "are in no Slurm job: clpd launch" in launch("status").stdout
        launch.launch()
    finish(launch, uninterrupted)
    assert launch.attempts(STUDENT) == 2
    assert cluster.node_states()[node].startswith("down")


def test_a_slurmd_gone_for_good_whose_student_lives_on_is_published_once(
    make_cluster: MakeCluster, tmp_path: Path, uninterrupted: Outcomes
):
    cluster = make_cluster(conf_lines="SlurmdTimeout=5")
    launch, job = launched(cluster, tmp_path)
    node = cluster.job(job).node
    cluster.kill_slurmd(node)
    cluster.wait_until(lambda: cluster.node_states()[node].startswith("down"), what=f"{node} is down")
    finish(launch, uninterrupted)


def test_a_restarted_slurmctld_costs_nothing(cluster: Cluster, tmp_path: Path, uninterrupted: Outcomes):
    launch, _ = launched(cluster, tmp_path)
    cluster.wait_until_saved()
    cluster.kill_slurmctld()
    assert launch.states()[STUDENT] in ("running", "done"), "the disk tells without Slurm"
    refused = launch.launch(check=False)
    assert refused.returncode == 2
    assert "Unable to contact slurm controller" in refused.stderr
    cluster.start_slurmctld()
    finish(launch, uninterrupted)


def test_a_queue_that_slurm_forgot_is_submitted_again(
    make_cluster: MakeCluster, tmp_path: Path, uninterrupted: Outcomes
):
    cluster = make_cluster()
    launch = Launch(cluster, tmp_path, profile={"extra": {"begin": "now+1hour"}})
    launch.launch()
    cluster.restart_slurmctld()  # before it has saved what was submitted
    launch.describe()
    launch.launch()
    if launch.queue():
        cluster.run("scontrol", "update", f"jobid={','.join(sorted(launch.queue()))}", "StartTime=now", check=False)
    finish(launch, uninterrupted)


def test_forty_cells_fit_arrays_of_ten(make_cluster: MakeCluster, tmp_path: Path):
    cluster = make_cluster(conf_lines="MaxArraySize=10")
    seeds = ", ".join(str(seed) for seed in range(20))
    launch = Launch(
        cluster, tmp_path, sets=[f"seeds=[{seeds}]", "student.training.steps=120", "student.training.epochs=8"]
    )
    launch.launch()
    place = next((launch.store / "launches").iterdir())
    sizes = [len(one.batches) for one in records.arrays(place)]
    assert max(sizes) == 10
    assert sum(sizes) > 40
    launch.wait_until_done(600)
    launch.look()
    assert len(launch.plan().cells) == 40


def test_with_accounting_a_cancelled_job_is_told_as_cancelled(
    make_cluster: MakeCluster, tmp_path: Path, uninterrupted: Outcomes
):
    cluster = make_cluster(accounting=1)
    launch, job = launched(cluster, tmp_path)
    for pid in cluster.processes_of(job):
        os.kill(pid, signal.SIGKILL)
    cluster.wait_for_state(job, "FAILED")
    cluster.wait_until(lambda: "FAILED" in cluster.run("sacct", "-nX", "-j", job, "-o", "State"), 30, "sacct knows")
    told = json.loads(launch("status", "--failures", "--json").stdout)
    assert [one["label"] for one in told] == [STUDENT]
    assert "FAILED" in json.dumps(told)
    launch.launch()
    finish(launch, uninterrupted)
