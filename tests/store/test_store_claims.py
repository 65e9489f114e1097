"""Who gets a key."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from clpd_bench.store import Store, durable

KEYS = [f"key{number}" for number in range(12)]


def _claim_all(root: Path, barrier, wins, me: int) -> None:
    store = Store(root)
    for key in KEYS:
        barrier.wait(10)
        attempt = store.claim(key)
        if attempt is not None:
            wins.put((key, me, attempt.number))
    # The losers are to find the winners alive.
    barrier.wait(10)


def test_two_claimers_at_once_one_wins(root):
    context = multiprocessing.get_context("fork")
    barrier, wins = context.Barrier(4), context.SimpleQueue()
    claimers = [context.Process(target=_claim_all, args=(root, barrier, wins, me)) for me in range(4)]
    for process in claimers:
        process.start()
    for process in claimers:
        process.join(10)
        assert process.exitcode == 0
    won = []
    while not wins.empty():
        won.append(wins.get())
    assert sorted(key for key, _, _ in won) == sorted(KEYS)
    assert {number for _, _, number in won} == {1}
    for key in KEYS:
        assert _names(root / "attempts" / key) == ["1"]


def test_claim_overtaken_just_before_its_rename_leaves_the_winner_alone(root, monkeypatch):
    overtaking = []

    def overtake(operation: str, path: Path) -> None:
        if operation == "rename" and not overtaking:
            overtaking.append(None)
            overtaking.append(Store(root).claim("key"))

    monkeypatch.setattr(durable, "before", overtake)
    assert Store(root).claim("key") is None
    winner = overtaking[1]
    assert winner.number == 1
    assert _names(root / "attempts" / "key") == ["1"]
    assert json.loads((winner.folder / "owner.json").read_text())["pid"] == os.getpid()


def test_lost_answer_to_a_claim_is_a_claim(store, monkeypatch):
    def rename(source: Path, target: Path) -> None:
        source.rename(target)
        raise OSError(errno.ENOENT, "the server did it, its answer got lost, it was asked again")

    monkeypatch.setattr(durable, "rename", rename)
    attempt = store.claim("key")
    assert attempt is not None
    assert attempt.number == 1


def test_refused_claim_for_want_of_space_is_an_error_not_a_lost_race(store, monkeypatch):
    def rename(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(durable, "rename", rename)
    with pytest.raises(OSError, match="disk full"):
        store.claim("key")
    assert _names(store.root / "attempts" / "key") == []


def test_sigkilled_owner_is_dead_at_once_on_the_same_host(store):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        Store(store.root).claim("key")
        os.write(writer, b"!")
        time.sleep(60)
        os._exit(1)
    try:
        os.read(reader, 1)
        assert store.state("key") == "running"
        assert store.claim("key") is None
    finally:
        os.kill(pid, signal.SIGKILL)
    # Not yet waited for: a zombie is dead, too.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert store.state("key") == "lost"
    os.waitpid(pid, 0)
    assert store.state("key") == "lost"
    assert store.claim("key").number == 2


def test_another_process_with_the_pid_of_the_owner_is_not_the_owner(store):
    attempt = store.claim("key")
    _edit_owner(attempt.folder, process="another start")
    assert store.claim("key").number == 2


def test_pid_of_another_container_with_this_host_name_says_nothing(store):
    attempt = store.claim("key")
    _edit_owner(attempt.folder, process="another start", pid_space="pid:[1]")
    assert store.state("key") == "running"
    assert store.claim("key") is None


def test_claim_of_a_key_published_meanwhile_is_given_back(store, die, monkeypatch):
    die(lambda: Store(store.root).claim("key"))

    def publish_first(operation: str, path: Path) -> None:
        if operation == "rename" and path.name == "2":
            monkeypatch.undo()
            done = store.artifact("key")
            done.mkdir(parents=True)
            (done / "manifest.json").write_text("{}")

    monkeypatch.setattr(durable, "before", publish_first)
    assert store.claim("key") is None
    assert store.state("key") == "done"
    (store.artifact("key") / "manifest.json").unlink()
    store.artifact("key").rmdir()
    assert store.state("key") == "pending"


def test_preparations_of_dead_claimers_are_harmless(store):
    leftover = store.root / "attempts" / "key" / "claiming-0"
    leftover.mkdir(parents=True)
    assert store.state("key") == "pending"
    assert store.claim("key").number == 1
    assert leftover.is_dir()


@pytest.mark.parametrize("key", ["", "..", "a/b", ".hidden", "a\n"])
def test_key_that_is_no_name_is_refused(store, key):
    with pytest.raises(ValueError, match="can't be a key"):
        store.claim(key)


def test_asking_writes_nothing(store):
    assert store.state("key") == "pending"
    assert store.last_attempt("key") is None
    assert store.manifest("key") is None
    assert store.missing("key") == []
    assert store.plans() == []
    assert not store.retry("key")
    assert not store.root.exists()


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _edit_owner(folder: Path, **values: object) -> None:
    path = folder / "owner.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
