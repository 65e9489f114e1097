"""A disk that fills up at any moment: the worker says so and ends, and once there is space a rerun completes."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harbour import Harbour, attempts
from storm import FULL, Trouble, synthetic, work

from clpd_bench.store import Store

PLAN = synthetic((0, 2))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip(f"needs root and mount: {' '.join(command)}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 512)


def _full_at_each(roots: Path, calm, ballast: Path | None, stride: int) -> int:
    refused, code, number = 0, FULL, 1 - stride
    while code == FULL or number < 20:
        number += stride
        root = roots / str(number)
        root.mkdir()
        code = work(root, Trouble(full_at=number, fill=(lambda: _fill(ballast)) if ballast else None), PLAN)
        assert code in (FULL, 0)
        refused += code == FULL
        if ballast:
            ballast.unlink(missing_ok=True)
        harbour = Harbour(root, calm)
        harbour.look()
        assert {Store(root).state(key) for key in PLAN.jobs} <= {"done", "pending", "lost"}, "nobody's fault"
        harbour.arrive(PLAN)
        shutil.rmtree(root)
    return refused


def test_disk_full_at_any_write_leaves_a_state_from_which_a_rerun_completes(small_disk, calm):
    refused = _full_at_each(small_disk, calm, small_disk / "ballast", 1)
    print(f"\na real disk of 512 KiB filled before every write: {refused} workers ended by it, losses: 0")
    assert refused > 50


def test_refused_write_anywhere_leaves_a_state_from_which_a_rerun_completes(tmp_path, calm):
    refused = _full_at_each(tmp_path, calm, None, 3)
    print(f"\nevery write refused from each 3. on: {refused} workers ended by it, losses: 0")
    assert refused > 25


def test_full_disk_is_said_in_the_record_and_never_held_against_the_job(root, harbour, monkeypatch):
    from clpd_bench.launch import worker

    def full(*arguments):
        raise RuntimeError("I/O error: No space left on device (os error 28)")

    store = Store(root)
    for _ in range(6):
        with pytest.raises(Exception, match="disk is full"):
            worker.work(PLAN, store, ["key0"], lambda: False, lambda kind: full)
        assert store.state("key0") == "lost"
        assert "No space left" in store.last_attempt("key0").failure["message"]
    assert len(attempts(root, "key0")) == 6
    harbour.arrive(PLAN)


def test_claim_refused_by_a_full_disk_leaves_nothing_behind(store, monkeypatch):
    from clpd_bench.store import durable

    def refuse(operation: str, path: Path) -> None:
        if path.name == "heartbeat.json":
            raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(durable, "before", refuse)
    with pytest.raises(OSError, match="disk full"):
        store.claim("key")
    assert list((store.root / "attempts" / "key").iterdir()) == []
