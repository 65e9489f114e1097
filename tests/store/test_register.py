"""Declarations and looks take their numbers from one counter, whoever counts and whatever clocks say."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.store import Store, durable, register
from clpd_bench.store.upkeep import find_garbage

DECLARED = {"question": "which order?", "evaluations": {"a": {}, "b": {}}}


def test_declarations_and_looks_are_numbered_in_their_order_and_the_same_again_is_the_first(store, monkeypatch):
    for year in ("2026", "2025", "2024"):  # a clock that runs backwards
        monkeypatch.setattr(register, "now", lambda year=year: year)
        store.declare(DECLARED)
        store.look({"a": year})
        store.look({"a": "2026"})
    assert [(one.number, one.kind, one.time) for one in store.register()] == [
        (1, "declaration", "2026"),
        (2, "look", "2026"),
        (3, "look", "2025"),
        (4, "look", "2024"),
    ]
    assert store.declare(dict(reversed(DECLARED.items()))).number == 1
    assert store.look({"a": "2026"}).number == 2
    assert len(store.register()) == 4


def test_a_declaration_says_which_of_its_evaluations_were_there_when_it_was_made_first(store):
    with store.claim("b") as attempt:
        attempt.out.mkdir(exist_ok=True)
        attempt.publish({})
    assert store.declare(DECLARED).done == {"b"}
    with store.claim("a") as attempt:
        attempt.out.mkdir(exist_ok=True)
        attempt.publish({})
    assert store.declare(DECLARED).done == {"b"}


def _write(root: Path, barrier, me: int) -> None:
    for number in range(10):
        barrier.wait(30)
        Store(root).declare({"shared": number})
        Store(root).look({"of": me, "number": number})


def test_writers_at_once_get_consecutive_numbers_and_nothing_is_lost(root):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    processes = [context.Process(target=_write, args=(root, barrier, me)) for me in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    records = Store(root).register()
    assert [one.number for one in records] == list(range(1, len(records) + 1))
    looked = {(one.content["of"], one.content["number"]) for one in records if one.kind == "look"}
    assert looked == {(me, number) for me in range(4) for number in range(10)}
    assert {one.content["shared"] for one in records if one.kind == "declaration"} == set(range(10))
    assert not [path for path in (root / "register").iterdir() if not path.name.isdecimal()]


def test_lost_answer_to_a_look_is_a_look(store, monkeypatch):
    def rename(source: Path, target: Path) -> None:
        source.rename(target)
        raise OSError(errno.ENOENT, "the server did it, its answer got lost, it was asked again")

    monkeypatch.setattr(durable, "rename", rename)
    assert store.look({"a": 1}).number == 1
    assert [one.number for one in store.register()] == [1]


def test_a_look_that_cannot_be_written_is_an_error_and_no_number(store, monkeypatch):
    store.declare(DECLARED)

    def rename(source: Path, target: Path) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(durable, "rename", rename)
    with pytest.raises(OSError, match="read-only"):
        store.look({"a": 1})
    assert [path.name for path in (store.root / "register").iterdir()] == ["1"]


def test_kill_at_every_write_leaves_a_record_or_none_and_takes_no_number(tmp_path, in_child, kill_before):
    number, code = 0, -signal.SIGKILL
    freed: set[Path] = set()
    while code == -signal.SIGKILL:
        number += 1
        store = Store(tmp_path / str(number))
        store.declare(DECLARED)

        def killed(store=store, number=number) -> None:
            kill_before(number)
            store.look({"a": store.keep_items(["1", "2"])})

        code = in_child(killed)
        found = store.register()
        assert [one.number for one in found] == [1, 2][: len(found)]
        freed |= {item.path for item in find_garbage(store, []) if item.why == "a claim that was never made"}
        again = store.look({"a": store.keep_items(["1", "2"])})
        assert again.number == 2
        assert store.items(again.content["a"]) == {"1", "2"}
    assert code == 0
    assert number > 8
    assert freed, "gc knows what was only prepared"
    assert not any(path.name.isdecimal() for path in freed)


@pytest.mark.parametrize("content", ["{", "{}", None])
def test_a_damaged_record_is_told_and_neither_skipped_nor_made_anew(store, content):
    store.declare(DECLARED)
    store.look({"a": 1})
    path = store.root / "register" / "1" / "record.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    for use in (store.register, lambda: store.look({"b": 1}), lambda: store.declare(DECLARED)):
        with pytest.raises(UserError, match="damaged") as told:
            use()
        assert told.value.file == path


def test_items_are_kept_once_by_what_they_are_and_told_when_damaged(store):
    name = store.keep_items(["b", "a"])
    assert store.keep_items(["a", "b"]) == name != store.keep_items(["a"])
    assert store.items(name) == {"a", "b"}
    (path,) = (store.root / "items").glob(f"{name}.json")
    path.write_text('{"items": []}')
    with pytest.raises(UserError, match="damaged"):
        store.items(name)


def test_nothing_is_written_where_the_record_is_there(store, monkeypatch):
    """A report of a store that cannot be written, whose look is known, leaves nothing unsaid."""
    store.look({"a": 1})

    def refused(operation: str, path: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(durable, "before", refused)
    assert store.look({"a": 1}).number == 1
