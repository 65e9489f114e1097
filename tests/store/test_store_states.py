"""What is tried again, and what is not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from clpd_bench.store import Store


def _fail(store: Store) -> None:
    with store.claim("key") as attempt:
        attempt.fail(ValueError("no such order"), step=3)


def test_failed_runs_again_only_after_retry(store):
    _fail(store)
    assert store.state("key") == "failed"
    assert store.claim("key") is None
    store.record_blocked("key", ["parent"])
    assert store.state("key") == "failed"
    assert store.retry("key")
    assert store.state("key") == "pending"
    assert not store.retry("key")
    with store.claim("key") as attempt:
        assert store.state("key") == "running"
        assert not store.retry("key")
        attempt.fail(ValueError("again"))
    assert store.claim("key") is None
    assert store.last_attempt("key").failure["message"] == "again"


def test_retry_deletes_no_attempt(store):
    _fail(store)
    failed = store.last_attempt("key")
    assert store.retry("key")
    assert failed.folder.is_dir()
    assert store.last_attempt("key") == failed


def test_failure_record_says_what_a_person_asks_next(store):
    with store.claim("key") as attempt:
        try:
            raise KeyError("tokenizer")
        except KeyError as error:
            attempt.fail(error, batch={3}, signal="SIGUSR1")
    failure = store.last_attempt("key").failure
    assert failure["type"] == "KeyError"
    assert "tokenizer" in failure["message"]
    assert "test_store_states.py" in failure["traceback"]
    assert failure["log"] == str(attempt.folder / "log.txt") == str(store.last_attempt("key").log)
    assert failure["node"]
    assert failure["details"] == {"batch": "{3}"}
    assert failure["signal"] == "SIGUSR1"


def test_failure_record_names_the_signal_that_killed_a_child(store):
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with store.claim("key") as attempt:
        try:
            subprocess.run([sys.executable, "-c", kill], check=True)
        except subprocess.CalledProcessError as error:
            attempt.fail(error)
    assert store.last_attempt("key").failure["signal"] == "SIGKILL"


def test_attempts_without_progress_are_bounded_and_those_with_checkpoints_are_not(store, die):
    def lose(key: str, *, checkpoint: bool) -> None:
        def body() -> None:
            attempt = Store(store.root).claim(key)
            assert attempt is not None
            if checkpoint:
                attempt.checkpointed()

        die(body)

    for _ in range(7):
        lose("with", checkpoint=True)
    assert store.claim("with") is not None

    for _ in range(4):
        lose("without", checkpoint=False)
    lose("without", checkpoint=True)
    assert not store.retry("without")
    for _ in range(5):
        lose("without", checkpoint=False)
    assert store.state("without") == "lost"
    assert store.claim("without") is None
    store.record_blocked("without", ["parent"])
    assert store.state("without") == "lost"
    assert store.retry("without")
    for _ in range(5):
        lose("without", checkpoint=False)
    assert store.claim("without") is None


def test_released_may_be_claimed_at_once_and_is_not_counted(store):
    for number in range(1, 8):
        with store.claim("key") as attempt:
            assert attempt.number == number
            attempt.release()
        assert store.state("key") == "pending"


def _evict(store: Store, *, checkpoint: bool = False) -> None:
    with store.claim("key") as attempt:
        if checkpoint:
            attempt.checkpointed()
        attempt.evict()


def test_evicted_may_be_claimed_at_once(store):
    _evict(store)
    assert store.state("key") == "pending"
    assert store.last_attempt("key").ending == "evicted"
    assert store.claim("key").number == 2


def test_evicted_five_times_without_a_checkpoint_is_given_up(store):
    for _ in range(4):
        _evict(store)
        assert store.state("key") == "pending"
    _evict(store)
    # Not pending, or whoever waits for it would wait for ever.
    assert store.state("key") == "lost"
    assert store.claim("key") is None
    store.record_blocked("key", ["parent"])
    assert store.state("key") == "lost"
    assert store.retry("key")
    assert store.state("key") == "pending"
    for _ in range(4):
        _evict(store)
    assert store.claim("key").number == 11


def test_evictions_and_losses_count_together(store, die):
    for _ in range(2):
        _evict(store)
        die(lambda: Store(store.root).claim("key"))
    assert store.may_claim("key")
    _evict(store)
    assert not store.may_claim("key")
    assert store.state("key") == "lost"


def test_evictions_that_advance_are_not_bounded(store):
    for number in range(1, 13):
        _evict(store, checkpoint=number % 5 == 0)
        assert store.state("key") == "pending"
    assert store.claim("key").number == 13


def test_attempt_left_without_a_word_is_lost_though_its_process_lives(store):
    with pytest.raises(ZeroDivisionError), store.claim("key"):
        raise ZeroDivisionError
    assert store.state("key") == "lost"
    assert store.claim("key").number == 2


def test_blocked_record_never_hides_a_later_claim(store):
    store.record_blocked("key", ["parent2", "parent1"])
    assert store.state("key") == "blocked"
    assert store.missing("key") == ["parent1", "parent2"]
    assert store.last_attempt("key") is None
    with store.claim("key") as attempt:
        store.record_blocked("key", ["parent1"])
        assert store.state("key") == "running"
        attempt.publish({})
    store.record_blocked("key", ["parent1"])
    assert store.state("key") == "done"
    assert store.missing("key") == []


def test_blocked_for_the_same_want_is_recorded_once(store):
    for _ in range(3):
        store.record_blocked("key", ["parent"])
    assert len(list((store.root / "attempts" / "key").iterdir())) == 1
    store.record_blocked("key", ["other"])
    assert store.missing("key") == ["other"]


def test_blocked_is_pending_after_retry_and_may_be_blocked_again(store):
    store.record_blocked("key", ["parent"])
    assert store.retry("key")
    assert store.state("key") == "pending"
    store.record_blocked("key", ["parent"])
    assert store.state("key") == "blocked"


def test_removed_artifact_is_made_again(store):
    with store.claim("key") as attempt:
        attempt.publish({})
    assert store.state("key") == "done"
    store.artifact("key").rename(store.root / "away")
    assert store.state("key") == "pending"
    assert store.claim("key").number == 2


def test_checkpoints_of_all_lower_attempts_are_offered_newest_first(store):
    for name in ("first", "second"):
        with store.claim("key") as attempt:
            (attempt.checkpoints / name).write_text("")
            attempt.release()
    store.record_blocked("key", ["parent"])
    attempt = store.claim("key")
    (attempt.checkpoints / "own").write_text("")
    attempt.release()
    # A slow attempt doesn't read what a later one may be writing.
    (store.claim("key").checkpoints / "later").write_text("")
    names = [path.name for folder in attempt.earlier_checkpoints() for path in folder.iterdir()]
    assert names == ["second", "first"]
