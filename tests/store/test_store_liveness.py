"""When somebody on another host counts as dead, and what keeps a heart beating."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import pytest

from clpd_bench.store import Store, durable


@pytest.fixture
def foreign(store, on_host):
    """An attempt whose owner is on another host."""
    with on_host("elsewhere"):
        return store.claim("key")


def _beat(attempt, beat: int) -> None:
    (attempt.folder / "heartbeat.json").write_text(json.dumps({"beat": beat, "progress": {}}))


def test_heartbeat_of_foreign_host_is_judged_on_own_monotonic_clock(root, foreign, clock):
    observer = Store(root, dead_after=300)
    assert observer.state("key") == "running"
    clock.seconds += 299
    assert observer.state("key") == "running"
    assert observer.claim("key") is None
    _beat(foreign, 1)
    clock.seconds += 299
    assert observer.state("key") == "running"
    clock.seconds += 299
    assert observer.state("key") == "running"
    clock.seconds += 1
    assert observer.state("key") == "lost"
    # Who has just come has to watch for as long.
    assert Store(root, dead_after=300).claim("key") is None
    assert observer.claim("key").number == 2


def test_unreadable_heartbeat_is_one_that_stands_still(root, foreign, clock):
    (foreign.folder / "heartbeat.json").write_text('{"beat": 1')
    observer = Store(root, dead_after=300)
    assert observer.state("key") == "running"
    clock.seconds += 300
    assert observer.state("key") == "lost"


def test_later_run_of_the_same_slurm_job_finds_the_earlier_dead(store, on_host, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    with on_host("elsewhere"):
        store.claim("key")
    assert store.claim("key") is None
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert store.claim("key").number == 2


def test_other_slurm_job_with_a_higher_restart_count_says_nothing(store, on_host, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    with on_host("elsewhere"):
        store.claim("key")
    monkeypatch.setenv("SLURM_JOB_ID", "124")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert store.claim("key") is None


@pytest.mark.parametrize(
    ("listed", "state"),
    # Elements of an array that have not started are all listed under the array's own number.
    [({"7"}, "lost"), ({"120", "120_4"}, "lost"), ({"120_3"}, "running"), (None, "running")],
)
def test_owner_missing_from_a_successful_squeue_is_dead(root, store, on_host, monkeypatch, listed, state):
    monkeypatch.setenv("SLURM_JOB_ID", "120")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "120")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "big")
    with on_host("elsewhere"):
        store.claim("key")
    assert Store(root, alive_slurm_jobs=lambda cluster: listed).state("key") == state


@pytest.fixture
def in_slurm(store, on_host, monkeypatch):
    """An attempt by Slurm job 123 of the cluster `big`, on another host."""
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "big")
    with on_host("elsewhere"):
        return store.claim("key")


def test_squeue_is_believed_of_its_own_cluster_alone(root, in_slurm):
    def only(name):
        return Store(root, alive_slurm_jobs=lambda cluster: set() if cluster == name else None)

    assert only("small").state("key") == "running"
    assert only("big").state("key") == "lost"


def test_silence_of_squeue_says_nothing_of_another_users_attempt(root, in_slurm, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: in_slurm.folder.stat().st_uid + 1)
    assert Store(root, alive_slurm_jobs=lambda cluster: set()).state("key") == "running"


def test_owner_files_without_a_cluster_open_and_are_judged_by_the_heartbeat(root, in_slurm, clock):
    file = in_slurm.folder / "owner.json"
    old = {key: value for key, value in json.loads(file.read_text()).items() if key != "slurm_cluster"}
    file.write_text(json.dumps(old))
    observer = Store(root, alive_slurm_jobs=lambda cluster: set())
    assert observer.last_attempt("key").owner.slurm_ids == ("123",)
    assert observer.state("key") == "running"
    clock.seconds += 300
    assert observer.state("key") == "lost"


def test_same_job_number_in_another_cluster_is_another_job(store, in_slurm, monkeypatch):
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "small")
    assert store.claim("key") is None
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "big")
    assert store.claim("key").number == 2


def test_owner_outside_slurm_is_not_looked_for_in_squeue(root, foreign):
    assert Store(root, alive_slurm_jobs=lambda cluster: set()).state("key") == "running"


def test_failure_recorded_just_before_death_is_not_taken_for_a_loss(root, foreign, clock, monkeypatch):
    observer = Store(root, dead_after=300)
    assert observer.state("key") == "running"
    clock.seconds += 300
    finds_dead = observer._watch.finds_dead

    def after_its_last_word(attempt):
        foreign.fail(ValueError("its last word"))
        return finds_dead(attempt)

    monkeypatch.setattr(observer._watch, "finds_dead", after_its_last_word)
    assert observer.claim("key") is None
    assert observer.state("key") == "failed"


def test_key_published_between_two_looks_is_done(root, foreign, monkeypatch):
    observer = Store(root)

    def publish_meanwhile(attempt):
        foreign.publish({})
        return False

    monkeypatch.setattr(observer._watch, "finds_dead", publish_meanwhile)
    assert observer.state("key") == "done"


def test_heart_beats_while_the_attempt_is_entered_and_no_longer(root):
    store = Store(root, heartbeat_every=0.01)
    with store.claim("key") as attempt:
        beats = set()
        deadline = time.monotonic() + 5
        while len(beats) < 3 and time.monotonic() < deadline:
            beats.add(_read_beat(attempt.folder))
    assert len(beats) >= 3
    last = _read_beat(attempt.folder)
    time.sleep(0.05)
    assert _read_beat(attempt.folder) == last


def test_progress_is_kept_and_merged(store):
    with store.claim("key") as attempt:
        attempt.progress(step=1, of=10)
        attempt.progress(step=2, where=Path("here"))
    assert store.last_attempt("key").progress == {"step": 2, "of": 10, "where": "here"}


def test_progress_is_written_while_running(store):
    with store.claim("key") as attempt:
        attempt.progress(step=1)
        deadline = time.monotonic() + 5
        while not store.last_attempt("key").progress and time.monotonic() < deadline:
            time.sleep(0.02)
        assert store.last_attempt("key").progress == {"step": 1}


def test_refused_heartbeat_stops_neither_the_heart_nor_the_job(root, monkeypatch):
    refusals = []

    def refuse(operation: str, path: Path) -> None:
        if path.name == "heartbeat.json" and len(refusals) < 3:
            refusals.append(path)
            raise OSError(errno.ENOSPC, "disk full")

    with Store(root, heartbeat_every=0.01).claim("key") as attempt:
        monkeypatch.setattr(durable, "before", refuse)
        deadline = time.monotonic() + 5
        while _read_beat(attempt.folder) == 0 and time.monotonic() < deadline:
            attempt.progress(step=1)
    assert len(refusals) == 3
    assert _read_beat(attempt.folder) > 3
    assert not list(attempt.folder.glob(".*.tmp"))


def _read_beat(folder: Path) -> int:
    return json.loads((folder / "heartbeat.json").read_text())["beat"]
