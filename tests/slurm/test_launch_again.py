"""Launching again is always safe: after a launcher was killed, beside another one, after a failure was mended."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from slurm_cluster import Cluster
from slurm_launch import FAULTS, Launch

from clpd_bench.store import Store

FAST = [
    "student.training={epochs: 1, steps: 2, learning_rate: 1e-3}",
    "student.initial=small",
    "evaluation.benchmarks={sums: {corpus: sums}}",
]
"""Little to train and nothing to generate, and jobs that fit into few Slurm jobs, each of which imports for seconds
before it does anything: with a model that all students start from, none waits for weights of its own."""
ALONE = [
    *FAST,
    "teachers=[]",
    "arms={standard_kd: {order: shuffled, teachers: none}, data_ordering: {order: easy_to_hard, teachers: none}}",
]
"""Without targets between the model and the students: one Slurm job less in a row."""


def start(launch: Launch, env: dict[str, str]) -> subprocess.Popen[str]:
    command = launch.command("launch", "--site", str(launch.site))
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=env, cwd=launch.folder, stdout=pipe, stderr=pipe, text=True)


def killing_sbatch(cluster: Cluster, folder: Path) -> dict[str, str]:
    """An environment in which whoever calls sbatch is killed once it has submitted, before it hears of it."""
    real = shutil.which("sbatch", path=cluster.env["PATH"])
    sbatch = folder / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(f'#!/bin/sh\n{real} "$@"\nkill -9 $PPID\n')
    sbatch.chmod(0o755)
    return {**cluster.env, "PATH": f"{sbatch.parent}:{cluster.env['PATH']}"}


def test_a_launcher_killed_right_after_sbatch_loses_nothing_and_leaves_nothing_twice(
    cluster: Cluster, tmp_path: Path
) -> None:
    launch = Launch(cluster, tmp_path, sets=ALONE, max_submit=3)
    killed = start(launch, killing_sbatch(cluster, tmp_path))
    assert killed.wait(60) == -signal.SIGKILL
    submitted = {job.id for job in cluster.jobs() if job.comment.startswith("clpd:") and job.state != "CANCELLED"}
    assert submitted
    again = launch.launch().stdout
    assert len({job.comment.split("/")[0] for job in cluster.jobs() if job.id in launch.queue()}) == 2
    assert any(id_ in again for id_ in submitted), "what the killed one submitted is waited for"
    launch.wait_until_done()
    launch.look()
    assert {label: launch.attempts(label) for label in launch.states()} == dict.fromkeys(launch.states(), 1)


def test_two_launches_at_once_share_each_job(cluster: Cluster, tmp_path: Path) -> None:
    # Whichever is first takes four, and leaves the other one the one that it needs.
    first = Launch(cluster, tmp_path, sets=[*FAST, "seeds=[0, 1]"], max_submit=5)
    second = Launch(cluster, tmp_path, sets=[*FAST, "seeds=[1, 2]"], max_submit=5)
    launchers = [start(first, cluster.env), start(second, cluster.env)]
    told = [launcher.communicate(timeout=120) for launcher in launchers]
    assert [launcher.returncode for launcher in launchers] == [0, 0], told
    assert sum("waits for jobs of other launches" in out for out, _ in told) == 1
    for launch in (first, second):
        launch.wait_until_done()
    first.look()
    labels = {launch: set(launch.states()) for launch in (first, second)}
    assert len(labels[first] & labels[second]) > 5
    for launch in (first, second):
        for label in labels[launch]:
            assert launch.attempts(label) == 1, label


@pytest.mark.soak
def test_once_a_failed_teacher_is_mended_that_branch_alone_runs(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    content = yaml.safe_load(FAULTS.read_text())
    own = {"name": "chained_sums", "operations": [1, 2], "train": 90, "validation": 20, "test": 30, "seed": 5}
    content["corpora"]["own"] = {**content["corpora"]["sums"], "source": own, "tokenizer": "same_as:sums"}
    content["models"]["large"] = {**content["models"]["small"], "corpus": "own"}
    content["teachers"] = ["small", "large"]
    content["student"]["training"]["steps"] = 120
    content["arms"]["sft"] = {"order": "shuffled", "teachers": "none"}
    file.write_text(yaml.safe_dump(content))
    launch = Launch(cluster, tmp_path, file)
    launch("plan", "--corpus")
    broken = launch.store / "artifacts" / launch.key("corpus own") / "tokenizer" / "tokenizer.json"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:100])
    launch.launch()
    launch.wait_for(lambda states: not launch.queue(), "the queue is empty")
    states = launch.states()
    assert states["model large"] == "failed"
    assert states["student sft/0"] == states["evaluation sft/1 on sums"] == "done"
    assert states["targets of large on sums"] in ("blocked", "pending")
    plan = launch.plan()
    needs = {plan.jobs[key].label for key in plan.descendants(launch.key("model large"))}
    assert {label for label, state in states.items() if state != "done"} == needs
    told = launch.launch()
    assert "left out: 1 jobs that failed" in told.stdout
    before = {label: launch.attempts(label) for label in set(states) - needs}
    broken.write_bytes(whole)
    launch("retry")
    launch.launch()
    launch.wait_until_done()
    launch.look()
    assert {label: launch.attempts(label) for label in before} == before
    assert Store(launch.store).verify(launch.key("corpus own")) == []
