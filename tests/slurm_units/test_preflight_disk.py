"""What has no room on the store's disk is told of, bytes and inodes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from clpd_bench.costs.footprint import Footprint
from clpd_bench.launch.slurm.preflight.files import check_disk
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.store import Store

GB = 10**9


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """On a disk with 100 GB and 1000 inodes free, for whoever is not root."""
    disk = SimpleNamespace(f_frsize=1000, f_bavail=GB // 10, f_bfree=GB, f_files=10**6, f_favail=1000, f_ffree=10**6)
    monkeypatch.setattr(os, "statvfs", lambda path: disk if Path(path) == tmp_path else 1 / 0)
    return Store(tmp_path / "not" / "yet")


def levels(found: list[Finding]) -> list[str]:
    return [finding.level for finding in found]


@pytest.mark.parametrize(("gb", "level"), [(80, []), (81, ["warning"]), (100, ["warning"]), (101, ["fatal"])])
def test_bytes_over_what_is_free_are_fatal_and_nearly_so_many_a_warning(
    store: Store, gb: int, level: list[str]
) -> None:
    assert levels(check_disk(Footprint(gb * GB, 1), store)) == level


@pytest.mark.parametrize(("files", "level"), [(800, []), (801, ["warning"]), (1001, ["fatal"])])
def test_files_over_what_is_free_are_fatal(store: Store, files: int, level: list[str]) -> None:
    assert levels(check_disk(Footprint(GB, files), store)) == level


def test_both_numbers_and_what_frees_some_are_told(store: Store) -> None:
    bytes_, files = check_disk(Footprint(2500 * GB, 2000), store)
    assert "about 2,500.0 GB are to be written" in bytes_.what
    assert "and 100.0 are free" in bytes_.what
    assert "about 2,000 files are to be written" in files.what
    assert "clpd store gc" in bytes_.fix


def test_a_disk_that_counts_no_inodes_wants_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SimpleNamespace(f_frsize=1, f_bavail=GB, f_files=0, f_favail=0)
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    assert check_disk(Footprint(1, 5000), store) == []


def test_what_is_not_known_is_told(store: Store) -> None:
    (finding,) = check_disk(Footprint(1, 1, ["model a", "model b", "model c"]), store)
    assert finding.level == "warning"
    assert "how much model a and 2 more will write is not known" in finding.what
