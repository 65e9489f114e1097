"""Runs that are killed, stopped or fail, and what becomes of them."""

from __future__ import annotations

import functools
import signal
from pathlib import Path

from launch_run import Run, children, kill_run, wait_until

from clpd_bench.store import Store


def weights(run: Run) -> dict[str, str]:
    """{label: hash of the model's weights}."""
    return {
        label: manifest["files"]["model.safetensors"]["sha256"]
        for label, manifest in run.manifests().items()
        if manifest["kind"] == "model"
    }


def running_models(run: Run) -> list[str]:
    """Keys of model jobs that are some steps into their training, by checkpoints on disk."""
    return [place.parts[-4] for place in run.store.glob("attempts/*/*/checkpoints/step-*")]


def has_new_checkpoint(run: Run, but: frozenset[str]) -> bool:
    return bool(set(running_models(run)) - but)


def test_run_killed_again_and_again_equals_an_uninterrupted_one(finished: Run, fresh: Run) -> None:
    killed: set[str] = set()
    for _ in range(3):
        process = fresh.start("--workers", "2")
        wait_until(functools.partial(has_new_checkpoint, fresh, frozenset(killed)))
        killed |= set(running_models(fresh))
        kill_run(process)
    assert len(killed) >= 3, "the kills were to fall into the middle of training"
    fresh("run", "--workers", "2")
    fresh("report")

    store = Store(fresh.store)
    resumed = [key for key in killed if (last := store.last_attempt(key)) and last.number > 1]
    assert resumed, "some model was to go on from a killed attempt's checkpoint"
    assert weights(fresh) == {label: weights(finished)[label] for label in weights(fresh)}
    report = "reports/tiny/items.parquet"
    assert (fresh.folder / report).read_bytes() == (finished.folder / report).read_bytes()
    assert all(store.verify(folder.name) == [] for folder in (fresh.store / "artifacts").iterdir())


def test_ctrl_c_ends_workers_and_keeps_what_they_did(fresh: Run) -> None:
    process = fresh.start("--workers", "2", "--set", "models.large.training.epochs=200")
    wait_until(lambda: bool(running_models(fresh)))
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    states = {job["state"] for job in fresh.status("--set", "models.large.training.epochs=200")["jobs"]}
    assert "running" not in states
    assert "failed" not in states


def test_failed_teacher_holds_up_its_descendants_and_nobody_else(fresh: Run) -> None:
    unreachable = ("--set", "models.small.training.stop={metric: sequence_accuracy, at: 1.1}")
    done = fresh("run", "--workers", "2", *unreachable, check=False)
    assert done.returncode == 1
    states = {job["label"]: job["state"] for job in fresh.status(*unreachable)["jobs"]}
    assert states["model small"] == "failed"
    descendants = ("small", "teacher_scheduling", "clpd")
    for label, state in states.items():
        if label != "model small":
            assert state == ("blocked" if any(name in label for name in descendants) else "done"), label
    assert "StopNotReached" in done.stdout
    assert "clpd retry" in done.stdout

    assert "clpd at seed 0 on sums: blocked" in fresh("report", *unreachable).stdout

    # Not by itself; only when asked.
    fresh("run", *unreachable, check=False)
    store = Store(fresh.store)
    key = next(job["key"] for job in fresh.status(*unreachable)["jobs"] if job["label"] == "model small")
    last = store.last_attempt(key)
    assert last
    assert last.number == 1
    assert "model small" in fresh("retry", *unreachable).stdout
    assert store.state(key) == "pending"
