"""The development cluster is a Slurm, leaves nothing behind, and can be broken in the ways that tests need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from slurm_cluster import QUICK_LOSS, Cluster, MakeCluster


def test_a_job_sees_its_gpu(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.sbatch(
        "--gres=gpu:1", "--comment=a|b", "-o", tmp_path / "log", "--wrap", "echo gpu=$CUDA_VISIBLE_DEVICES"
    )
    cluster.wait_for_state(job, "COMPLETED")
    assert (tmp_path / "log").read_text() in ("gpu=0\n", "gpu=1\n")
    assert cluster.job(job).comment == "a|b"


def test_processes_of_a_job_are_its_own(cluster: Cluster, tmp_path: Path) -> None:
    array = cluster.sbatch("--array=1-2", "-o", "/dev/null", "--wrap", "exec sleep 60", cwd=tmp_path)
    cluster.wait_until(lambda: all(cluster.processes_of(f"{array}_{i}", "sleep") for i in (1, 2)))
    assert cluster.processes_of(f"{array}_1", "sleep") == cluster.processes_of(
        cluster.job(f"{array}_1").raw_id, "sleep"
    )
    assert cluster.processes_of(f"{array}_1", "sleep") != cluster.processes_of(f"{array}_2", "sleep")
    assert cluster.processes_of(f"{array}_1", "python") == []


def test_requeued_jobs_can_start_at_once(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = make_cluster(nodes=1, requeue_delay=600)
    job = cluster.sbatch("--requeue", "-o", "/dev/null", "--wrap", "exec sleep 60", cwd=tmp_path)
    cluster.wait_for_state(job, "RUNNING")
    cluster.run("scontrol", "requeue", job)
    cluster.wait_until(lambda: cluster.job(job).reason == "BeginTime")
    cluster.release_requeued()
    cluster.wait_for_state(job, "RUNNING", timeout=20)


def test_a_lost_node_is_found_lost_and_comes_back(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = make_cluster(conf_lines=QUICK_LOSS)
    # With a step: once it runs, Slurm has heard from the node that the job was launched.
    job = cluster.sbatch("--no-requeue", "-w", "n1", "-o", "/dev/null", "--wrap", "srun sleep 600", cwd=tmp_path)
    other = cluster.sbatch("-w", "n2", "-o", "/dev/null", "--wrap", "exec sleep 600", cwd=tmp_path)
    cluster.wait_until(lambda: cluster.processes_of(job, "sleep") and cluster.processes_of(other, "sleep"))
    cluster.lose_node("n1")
    assert cluster.processes_of(job, "") == []
    assert cluster.processes_of(other, "sleep")
    cluster.wait_for_state(job, "NODE_FAIL")
    assert cluster.node_states()["n1"].startswith("down")
    cluster.start_slurmd("n1")
    assert cluster.states()[other] == "RUNNING"


def test_jobs_outlive_their_daemons(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.sbatch("-w", "n1", "-o", "/dev/null", "--wrap", "exec sleep 600", cwd=tmp_path)
    cluster.wait_until(lambda: cluster.processes_of(job, "sleep"))
    before = cluster.processes_of(job, "sleep")
    cluster.kill_slurmd("n1")
    cluster.start_slurmd("n1")
    cluster.wait_until_saved()
    cluster.restart_slurmctld()
    assert cluster.job(job).state == "RUNNING"
    assert cluster.processes_of(job, "sleep") == before


def test_clusters_side_by_side_know_nothing_of_each_other(
    cluster: Cluster, make_cluster: MakeCluster, tmp_path: Path
) -> None:
    other = make_cluster(nodes=1, conf_lines="MaxArraySize=10")
    mine = cluster.sbatch("-o", "/dev/null", "--wrap", "exec sleep 600", cwd=tmp_path)
    theirs = other.sbatch("-o", "/dev/null", "--wrap", "exec sleep 600", cwd=tmp_path)
    cluster.wait_until(lambda: cluster.processes_of(mine, "sleep") and other.processes_of(theirs, "sleep"))
    with pytest.raises(AssertionError, match="Invalid job array specification"):
        other.sbatch("--array=1-20", "--wrap", "true")
    other.down()
    assert other.processes_of(theirs, "sleep") == []
    assert cluster.processes_of(mine, "sleep")
    assert cluster.states()[mine] == "RUNNING"


def test_down_leaves_no_process_and_no_folder(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = make_cluster(nodes=1)
    job = cluster.sbatch("-o", "/dev/null", "--wrap", "trap '' TERM; srun sleep 600", cwd=tmp_path)
    cluster.wait_until(lambda: cluster.processes_of(job, "sleep"))
    assert _mentions(cluster.root)
    cluster.down()
    assert not _mentions(cluster.root)
    assert not cluster.root.exists()


def test_the_cluster_of_a_killed_test_process_is_ended(make_cluster: MakeCluster) -> None:
    code = "import os, slurm_cluster; print(slurm_cluster.Cluster(nodes=1).root, flush=True); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True)
    root = Path(killed.stdout.strip())
    assert _mentions(root)
    make_cluster(nodes=1)
    assert not _mentions(root)
    assert not root.exists()


@pytest.mark.soak
def test_accounting_answers(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = make_cluster(nodes=1, accounting=1)
    job = cluster.sbatch("-o", "/dev/null", "--wrap", "exit 3", cwd=tmp_path)
    row = f"{job}|FAILED|3:0"
    cluster.wait_until(lambda: row in cluster.run("sacct", "-nXP", "-j", job, "-o", "jobid,state,exitcode"), what=row)


def _mentions(root: Path) -> list[str]:
    """The command lines of processes that have something to do with the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if str(root).encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue  # It has ended.
    return found
