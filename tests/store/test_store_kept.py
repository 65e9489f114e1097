"""Plans and declarations."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.store import Store, declarations


def test_declaration_keeps_its_first_time(store, monkeypatch):
    monkeypatch.setattr(declarations, "now", lambda: "2024-01-01T00:00:00+00:00")
    first = store.declare({"question": "which order?", "alpha": 0.05})
    monkeypatch.setattr(declarations, "now", lambda: "2025-01-01T00:00:00+00:00")
    assert store.declare({"alpha": 0.05, "question": "which order?"}) == first
    assert first["time"].startswith("2024")
    assert store.declare({"question": "another"})["time"].startswith("2025")


def _declare(root: Path, barrier, answers, me: int) -> None:
    declarations.now = lambda: f"time of {me}"
    for number in range(20):
        barrier.wait(10)
        answers.put((number, Store(root).declare({"number": number})["time"]))


def test_declarers_at_once_are_told_the_same_time(root):
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(3), context.SimpleQueue()
    processes = [context.Process(target=_declare, args=(root, barrier, answers, me)) for me in range(3)]
    for process in processes:
        process.start()
    told = [answers.get() for _ in range(60)]
    for process in processes:
        process.join(10)
        assert process.exitcode == 0
    assert len(set(told)) == 20
    assert not [path for path in (root / "declarations").iterdir() if path.suffix == ".tmp"]


def test_damaged_declaration_is_not_silently_dated_anew(store):
    store.declare({"question": "which order?"})
    [path] = (store.root / "declarations").iterdir()
    path.write_text("{")
    with pytest.raises(UserError, match="damaged"):
        store.declare({"question": "which order?"})


def test_same_plan_is_one_file_and_the_newest_again(store):
    first = store.write_plan({"jobs": [1], "name": "a"})
    second = store.write_plan({"jobs": [2], "name": "a"})
    os.utime(first, ns=(10, 10))
    os.utime(second, ns=(20, 20))
    assert store.plans() == [second, first]
    assert store.write_plan({"name": "a", "jobs": [1]}) == first
    assert store.plans() == [first, second]


def test_torn_plan_is_written_anew(store):
    path = store.write_plan({"jobs": [1]})
    content = path.read_text()
    path.write_text("{")
    assert store.write_plan({"jobs": [1]}) == path
    assert path.read_text() == content


def test_a_report_is_dated_when_it_first_showed_just_that(store, monkeypatch):
    assert store.reports() == []
    for time, shown in (("2024", {"a": "m"}), ("2025", {"a": "m", "b": "n"}), ("2026", {"a": "m"})):
        monkeypatch.setattr(declarations, "now", lambda time=time: time)
        store.record_report(shown)
    assert store.reports() == [{"shown": {"a": "m"}, "time": "2024"}, {"shown": {"a": "m", "b": "n"}, "time": "2025"}]


def test_a_damaged_record_of_a_report_is_not_a_look_that_never_was(store):
    store.record_report({"a": "m"})
    [path] = (store.root / "reports").iterdir()
    path.write_text("{")
    with pytest.raises(UserError, match="the time of the report is lost"):
        store.reports()


def test_declarations_are_listed_oldest_first(store, monkeypatch):
    for time in ("2025", "2024"):
        monkeypatch.setattr(declarations, "now", lambda time=time: time)
        store.declare({"made": time})
    assert [record["time"] for record in store.declarations()] == ["2024", "2025"]
