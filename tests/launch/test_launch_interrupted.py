"""Runs that are killed, stopped or fail, and what becomes of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from launch_run import Run, children, kill_run, wait_until

from clpd_bench.store import Store


def weights(run: Run) -> dict[str, str]:
    """{label: hash of the model's weights}."""
    return {
        label: manifest["files"]["model.safetensors"]["sha256"]
        for label, manifest in run.manifests().items()
        if manifest["kind"] == "model"
    }


def running_models(run: Run) -> set[str]:
    """Keys of model jobs that are some steps into their training, by checkpoints on disk."""
    return {place.parts[-4] for place in run.store.glob("attempts/*/*/checkpoints/step-*")}


@dataclass(frozen=True)
class Stopped:
    """A run with real workers, to which Ctrl-C came in the middle of training."""

    run: Run
    code: int
    errors: str
    workers: list[int]
    trained: set[str]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    run = Run(tmp_path_factory.mktemp("stopped"))
    process = run.start("run", "--workers", "2")
    try:
        wait_until(lambda: bool(running_models(run)))
        workers = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        yield Stopped(run, process.returncode, errors, workers, running_models(run))
    finally:
        if process.poll() is None:
            kill_run(process)


def test_ctrl_c_ends_workers_and_keeps_what_they_did(stopped: Stopped) -> None:
    assert stopped.code == 130
    assert "Traceback" not in stopped.errors
    assert len(stopped.workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in stopped.workers)
    assert stopped.trained
    states = {job["state"] for job in stopped.run.status()["jobs"]}
    assert "running" not in states
    assert "failed" not in states


def test_run_stopped_and_killed_equals_an_uninterrupted_one(finished: Run, stopped: Stopped) -> None:
    run = stopped.run
    process = run.start("run", "--workers", "1")  # a second would only import torch once more
    try:
        wait_until(lambda: bool(running_models(run) - stopped.trained))
        killed = stopped.trained | running_models(run)
    finally:
        kill_run(process)
    assert len(killed) >= 2, "it was to be interrupted in the middle of training"
    run("run")
    run("report")

    store = Store(run.store)
    resumed = [key for key in killed if (last := store.last_attempt(key)) and last.number > 1]
    assert resumed, "some model was to go on from an interrupted attempt's checkpoint"
    assert weights(run) == weights(finished)
    report = "reports/tiny/items.parquet"
    assert (run.folder / report).read_bytes() == (finished.folder / report).read_bytes()
    assert all(store.verify(folder.name) == [] for folder in (run.store / "artifacts").iterdir())


def test_failed_teacher_holds_up_its_descendants_and_nobody_else(finished: Run) -> None:
    """Of what does not descend from it, some is still to do when it fails."""
    finished.forget("student standard_kd/1", "evaluation standard_kd/1")
    unreachable = ("--set", "models.small.training.stop={metric: sequence_accuracy, at: 1.1}")
    done = finished("run", *unreachable, check=False)
    assert done.returncode == 1
    states = {job["label"]: job["state"] for job in finished.status(*unreachable)["jobs"]}
    assert states["model small"] == "failed"
    descendants = ("small", "teacher_scheduling", "clpd")
    for label, state in states.items():
        if label != "model small":
            assert state == ("blocked" if any(name in label for name in descendants) else "done"), label
    assert "StopNotReached" in done.stdout
    assert "clpd retry" in done.stdout

    assert "clpd at seed 0 on sums: blocked" in finished("report", *unreachable).stdout

    # Not by itself; only when asked.
    finished("run", *unreachable, check=False)
    store = Store(finished.store)
    key = next(job["key"] for job in finished.status(*unreachable)["jobs"] if job["label"] == "model small")
    last = store.last_attempt(key)
    assert last
    assert last.number == 1
    assert "model small" in finished("retry", *unreachable).stdout
    assert store.state(key) == "pending"
