"""When somebody on another host counts as dead, and what keeps a heart beating."""

from __future__ import annotations

import errno
import json
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


@pytest.mark.parametrize(("lives", "state"), [(False, "lost"), (True, "running"), (None, "running")])
def test_owner_said_to_be_gone_is_dead_at_once(root, foreign, lives, state):
    assert Store(root, lives=lambda owner: lives).state("key") == state


@pytest.mark.parametrize("lives", [True, None])
def test_heart_that_stands_still_is_not_excused_by_who_says_that_its_owner_lives(root, foreign, clock, lives):
    observer = Store(root, lives=lambda owner: lives)
    assert observer.state("key") == "running"
    clock.seconds += 300
    assert observer.state("key") == "lost"


def test_word_of_the_scheduler_is_handed_back_as_it_was_given(root, on_host):
    with on_host("elsewhere"):
        Store(root, scheduler={"id": "120_3"}).claim("key")
    asked = []
    Store(root, lives=lambda owner: asked.append(owner.scheduler)).state("key")
    assert asked == [{"id": "120_3"}]


def test_owner_on_this_host_is_asked_of_nobody(root, store):
    store.claim("key")
    assert Store(root, lives=lambda owner: False).state("key") == "running"


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
