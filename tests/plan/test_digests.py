"""Digests of large files are remembered as long as the files look the same, and never longer."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from clpd_bench.outside import local_files
from clpd_bench.outside.local_files import LARGE, sha256_of


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is digested rather than remembered."""
    found: list[object] = []
    real = local_files._digest

    def digest(files: object) -> str:
        found.append(files)
        return real(files)  # type: ignore[arg-type]

    monkeypatch.setattr(local_files, "_digest", digest)
    return found


def written(file: Path, content: bytes, seconds_ago: float = 60) -> Path:
    file.write_bytes(content)
    os.utime(file, (time.time() - seconds_ago,) * 2)
    return file


BIG = b"a" * LARGE


def test_a_large_file_is_read_once_and_again_when_it_changed(tmp_path: Path, cache: Path, reads: list[object]) -> None:
    file = written(tmp_path / "big", BIG)
    assert sha256_of(file) == sha256_of(file) == hashlib.sha256(BIG).hexdigest()
    assert len(reads) == 1
    written(file, b"b" + BIG[1:], seconds_ago=50)
    assert sha256_of(file) == hashlib.sha256(b"b" + BIG[1:]).hexdigest()


def test_a_file_put_in_its_place_with_its_time_is_read(tmp_path: Path, cache: Path) -> None:
    file = written(tmp_path / "big", BIG)
    sha256_of(file)
    other = written(tmp_path / "other", b"c" + BIG[1:])
    stat = file.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(file)
    assert sha256_of(file) == hashlib.sha256(b"c" + BIG[1:]).hexdigest()


def test_a_file_that_may_still_be_written_is_not_remembered(tmp_path: Path, cache: Path, reads: list[object]) -> None:
    file = written(tmp_path / "big", BIG, seconds_ago=0)
    sha256_of(file)
    sha256_of(file)
    assert len(reads) == 2


def test_small_files_leave_nothing_in_the_cache(tmp_path: Path, cache: Path) -> None:
    assert sha256_of(written(tmp_path / "small", b"abc")) == hashlib.sha256(b"abc").hexdigest()
    assert not cache.exists()


def test_without_a_cache_folder_files_are_read(tmp_path: Path, cache: Path) -> None:
    cache.write_text("a file where the folder would be")
    file = written(tmp_path / "big", BIG)
    assert sha256_of(file) == sha256_of(file) == hashlib.sha256(BIG).hexdigest()


def test_a_damaged_entry_is_no_digest(tmp_path: Path, cache: Path) -> None:
    file = written(tmp_path / "big", BIG)
    sha256_of(file)
    (entry,) = (cache / "clpd_bench" / "sha256").iterdir()
    entry.write_text("{}")
    assert sha256_of(file) == hashlib.sha256(BIG).hexdigest()


def test_parts_have_the_digest_of_the_whole(tmp_path: Path, cache: Path) -> None:
    a, b = written(tmp_path / "a", b"abc"), written(tmp_path / "b", BIG)
    assert sha256_of(a, b) == sha256_of(written(tmp_path / "whole", b"abc" + BIG))
    assert sha256_of(b, a) != sha256_of(a, b)
