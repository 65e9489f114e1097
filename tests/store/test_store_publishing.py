"""Artifacts are complete or absent, and published once."""

from __future__ import annotations

import errno
import logging
import os
import signal
from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.store import Store, durable


def _work(attempt) -> None:
    (attempt.out / "deep").mkdir(exist_ok=True)
    (attempt.out / "model.bin").write_bytes(b"weights" * 1000)
    (attempt.out / "deep" / "items.txt").write_text("items")


def _attempt_and_publish(root: Path) -> None:
    with Store(root).claim("key") as attempt:
        (attempt.checkpoints / "step1").write_text("half way")
        attempt.checkpointed()
        _work(attempt)
        assert attempt.publish({"kind": "model"}) == "published"


def _everything_else(root: Path) -> None:
    store = Store(root)
    store.write_plan({"jobs": ["key"]})
    store.declare({"question": "which order?"})
    store.record_blocked("key", ["parent"])
    with store.claim("key") as attempt:
        attempt.fail(ValueError("no"))
    store.retry("key")
    with store.claim("key") as attempt:
        attempt.release()


@pytest.mark.parametrize("scenario", [_attempt_and_publish, _everything_else])
def test_kill_at_every_write_boundary_leaves_absent_or_complete(tmp_path, in_child, kill_before, scenario):
    number = 0
    exit_code = -signal.SIGKILL
    while exit_code == -signal.SIGKILL:
        number += 1
        root = tmp_path / str(number)

        def killed_at_number(root=root, number=number) -> None:
            kill_before(number)
            scenario(root)

        exit_code = in_child(killed_at_number)
        store = Store(root)
        assert not store.artifact("key").exists() or store.verify("key") == []
        assert all(durable.read_json(path) for path in store.plans())
        declared = store.declare({"question": "which order?"})
        assert (declared.number, declared.content) == (1, {"question": "which order?"})
        if store.state("key") == "failed":
            assert store.retry("key")
        if store.state("key") != "done":
            with store.claim("key") as attempt:
                _work(attempt)
                assert attempt.publish({"kind": "model"}) == "published"
        assert store.state("key") == "done"
        assert store.verify("key") == []
    assert exit_code == 0
    assert number > 25


def test_manifest_has_what_was_given_and_what_the_store_knows(store):
    with store.claim("key") as attempt:
        _work(attempt)
        attempt.publish({"kind": "model", "tokens": 12})
    manifest = store.manifest("key")
    assert (manifest["kind"], manifest["tokens"], manifest["key"]) == ("model", 12, "key")
    assert manifest["attempt"]["number"] == 1
    assert manifest["attempt"]["owner"]["pid"] == os.getpid()
    assert manifest["files"]["deep/items.txt"]["bytes"] == 5
    assert len(manifest["files"]["deep/items.txt"]["sha256"]) == 64
    assert set(manifest["files"]) == {"deep/items.txt", "model.bin"}
    assert manifest["created"].endswith("+00:00")
    assert store.is_done("key")
    assert store.claim("key") is None
    assert not attempt.out.exists()
    assert not attempt.checkpoints.exists()


def test_nothing_is_renamed_before_it_is_on_the_disk(store, monkeypatch):
    seen = []
    with store.claim("key") as attempt:
        _work(attempt)
        monkeypatch.setattr(durable, "before", lambda *step: seen.append(step))
        attempt.publish({})
    renamed = seen.index(("rename", store.artifact("key")))
    before, after = seen[:renamed], seen[renamed + 1 :]
    manifest = before.index(("replace", attempt.out / "manifest.json"))
    for path in ("model.bin", "deep/items.txt", "deep"):
        assert before.index(("fsync", attempt.out / path)) < manifest
    assert ("fsync", attempt.out) in before[manifest:]
    assert ("fsync", store.artifact("key").parent) in after


def test_lost_rename_answer_is_success(store, monkeypatch):
    def rename(source: Path, target: Path) -> None:
        source.rename(target)
        raise OSError(errno.ENOENT, "the server did it, its answer got lost, it was asked again")

    with store.claim("key") as attempt:
        _work(attempt)
        monkeypatch.setattr(durable, "rename", rename)
        assert attempt.publish({}) == "published"
    assert store.verify("key") == []


@pytest.mark.parametrize("same", [True, False])
def test_slow_attempt_that_lost_its_claim_discards_its_own(root, store, on_host, clock, caplog, same):
    with on_host("elsewhere"):
        slow = store.claim("key")
    assert store.claim("key") is None
    clock.seconds += 300
    with store.claim("key") as fast:
        assert fast.number == 2
        _work(fast)
        (fast.checkpoints / "step1").write_text("")
        if not same:
            (fast.out / "model.bin").write_bytes(b"other")
        _work(slow)
        with caplog.at_level(logging.WARNING):
            assert fast.publish({}) == "published"
            published = store.manifest("key")
            assert slow.publish({}) == "already_published"
    assert ("differ" in caplog.text) is not same
    assert store.manifest("key") == published
    assert store.verify("key") == []
    assert not slow.out.exists()
    assert slow.folder.exists()
    assert fast.folder.exists()


def test_slow_attempt_that_comes_first_after_all_is_published(store, on_host, clock):
    with on_host("elsewhere"):
        slow = store.claim("key")
    store.state("key")
    clock.seconds += 300
    with store.claim("key") as second:
        _work(slow)
        _work(second)
        assert slow.publish({}) == "published"
        assert second.publish({}) == "already_published"
    assert store.manifest("key")["attempt"]["number"] == 1


def test_publishing_may_be_tried_again_after_a_full_disk(store, monkeypatch):
    with store.claim("key") as attempt:
        _work(attempt)
        for refused in ("manifest.json", "key"):

            def refuse(operation: str, path: Path, refused: str = refused) -> None:
                if operation in ("replace", "rename") and path.name == refused:
                    raise OSError(errno.ENOSPC, "disk full")

            monkeypatch.setattr(durable, "before", refuse)
            with pytest.raises(OSError, match="disk full"):
                attempt.publish({})
            assert not store.artifact("key").exists()
        monkeypatch.undo()
        assert attempt.publish({}) == "published"
    assert set(store.manifest("key")["files"]) == {"deep/items.txt", "model.bin"}
    assert store.verify("key") == []


def test_an_attempt_that_could_not_publish_leaves_its_checkpoints_to_the_next(store, monkeypatch):
    def refuse(operation: str, path: Path) -> None:
        if operation == "rename" and path == store.artifact("key"):
            raise OSError(errno.EIO, "the server is away")

    with store.claim("key") as attempt:
        _work(attempt)
        (attempt.checkpoints / "step1").write_text("half way")
        monkeypatch.setattr(durable, "before", refuse)
        with pytest.raises(OSError, match="the server is away"):
            attempt.publish({})
        monkeypatch.undo()
        attempt.release()
    with store.claim("key") as another:
        (folder,) = another.earlier_checkpoints()
        assert (folder / "step1").read_text() == "half way"


@pytest.fixture
def published(store):
    with store.claim("key") as attempt:
        _work(attempt)
        attempt.publish({})
    return store.artifact("key")


def test_flipped_byte_is_found_by_verify(store, published):
    content = bytearray((published / "model.bin").read_bytes())
    content[3000] ^= 1
    (published / "model.bin").write_bytes(content)
    assert store.verify("key") == ["model.bin: changed since it was published"]


def test_missing_and_extra_files_are_found_by_verify(store, published):
    (published / "model.bin").rename(published / "deep" / "moved.bin")
    assert store.verify("key") == ["model.bin: missing", "deep/moved.bin: not in the manifest"]


def test_verify_of_what_is_not_published_says_so(store):
    assert store.verify("key") == ["manifest.json: missing, or does not open"]


def test_torn_manifest_is_not_done_and_nobody_works_to_be_refused(store, published):
    (published / "manifest.json").write_text('{"key": "k')
    assert store.manifest("key") is None
    assert not store.is_done("key")
    assert store.verify("key") != []
    with pytest.raises(UserError, match="sets it aside"):
        store.claim("key")


def test_something_in_the_place_of_the_artifact_is_not_overwritten(store):
    with store.claim("key") as attempt:
        _work(attempt)
        store.artifact("key").mkdir(parents=True)
        (store.artifact("key") / "notes").write_text("mine")
        with pytest.raises(UserError, match="sets it aside"):
            attempt.publish({})
        attempt.release()
    assert (store.artifact("key") / "notes").read_text() == "mine"
    assert (attempt.out / "model.bin").exists()


def test_links_and_a_manifest_of_the_jobs_own_are_refused(store):
    with store.claim("key") as attempt:
        (attempt.out / "link").symlink_to("/etc/hostname")
        with pytest.raises(ValueError, match="symbolic links"):
            attempt.publish({})
        (attempt.out / "link").unlink()
        (attempt.out / "manifest.json").write_text("{}")
        with pytest.raises(ValueError, match="this name is the store's"):
            attempt.publish({})
        attempt.release()
    assert not store.artifact("key").exists()
