"""A store or a Python that nodes cannot see is told of, and a store that cannot be written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clpd_bench.launch.slurm.preflight import files
from clpd_bench.launch.slurm.preflight.files import check_paths, file_system
from clpd_bench.launch.slurm.preflight.finding import Finding


def mounts(folder: Path, *lines: tuple[str, str]) -> Path:
    """A mountinfo with these (mount point, type)."""
    file = folder / "mountinfo"
    text = "".join(
        f"{i} 1 0:{i} / {place} rw,relatime shared:{i} - {kind} server:/x rw\n" for i, (place, kind) in enumerate(lines)
    )
    file.write_text(text)
    return file


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """This Python, as if it lay beside the store."""
    place = tmp_path / "venv" / "bin" / "python"
    monkeypatch.setattr(sys, "executable", str(place))
    return place


def of_store(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if "the store" in finding.what]


def test_a_store_outside_of_all_shared_folders_is_fatal(tmp_path: Path) -> None:
    (finding,) = of_store(check_paths(tmp_path / "store", (tmp_path / "home", tmp_path / "scratch")))
    assert finding.level == "fatal"
    assert f"{tmp_path}/home, {tmp_path}/scratch" in finding.what


def test_a_store_inside_one_is_no_finding(tmp_path: Path, python: Path) -> None:
    assert check_paths(tmp_path / "deep" / "store", (tmp_path / "home", tmp_path)) == []


def test_a_name_that_begins_alike_is_not_inside(tmp_path: Path, python: Path) -> None:
    (tmp_path / "home2").mkdir()
    assert of_store(check_paths(tmp_path / "home2" / "store", (tmp_path / "home",)))


def test_a_link_is_where_it_leads(tmp_path: Path, python: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "store").symlink_to(tmp_path / "local")
    assert of_store(check_paths(tmp_path / "home" / "store", (tmp_path / "home",)))


def test_a_python_outside_of_all_shared_folders_is_fatal(tmp_path: Path, python: Path) -> None:
    store = tmp_path / "scratch" / "store"
    (finding,) = check_paths(store, (tmp_path / "scratch",))
    assert (finding.level, f"this Python ({python})" in finding.what) == ("fatal", True)


def test_the_systems_python_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    (finding,) = check_paths(tmp_path, (tmp_path,))
    assert (finding.level, "which each node has its own of" in finding.what) == ("warning", True)
    assert check_paths(tmp_path, (Path("/"),)) == []


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs", "wekafs", "panfs"])
def test_a_shared_file_system_is_known_by_its_type(tmp_path: Path, python: Path, kind: str) -> None:
    assert check_paths(tmp_path / "store", (), mounts(tmp_path, ("/", "ext4"), (str(tmp_path), kind))) == []


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs"])
def test_a_local_file_system_is_a_warning_that_says_what_to_write(tmp_path: Path, python: Path, kind: str) -> None:
    (store, of_python) = check_paths(tmp_path / "store", (), mounts(tmp_path, ("/", "nfs4"), (str(tmp_path), kind)))
    assert {store.level, of_python.level} == {"warning"}
    assert f"lies on {kind}" in store.what
    assert "`shared: [...]` in the site file" in store.fix


def test_the_innermost_mount_and_of_two_on_one_place_the_later_counts(tmp_path: Path) -> None:
    lines = (("/", "ext4"), ("/data", "autofs"), ("/data", "nfs4"), ("/data/x", "xfs"), ("/data\\040y", "lustre"))
    at = mounts(tmp_path, *lines)
    assert [file_system(Path(path), at) for path in ("/data/a", "/data/x/b", "/data y/c", "/datas")] == [
        *("nfs4", "xfs", "lustre", "ext4"),
    ]


def test_this_machines_own_mounts_are_read() -> None:
    assert file_system(Path("/proc/self")) == "proc"
    assert file_system(Path("/"), Path("/nowhere")) is None


def test_a_store_that_cannot_be_written_is_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "NamedTemporaryFile", refused)
    (finding,) = of_store(check_paths(tmp_path / "store", (tmp_path,)))
    assert (finding.level, "cannot be written: Permission denied" in finding.what) == ("fatal", True)


def test_trying_the_store_leaves_nothing_there(tmp_path: Path) -> None:
    check_paths(tmp_path / "deep" / "store", (tmp_path,))
    assert list(tmp_path.iterdir()) == []
