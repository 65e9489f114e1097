"""Whether the store and the Python that runs here are there on every node, and the store can be written."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from clpd_bench.launch.slurm.preflight.finding import Finding

MOUNTS = Path("/proc/self/mountinfo")
SHARED = {
    *("nfs", "nfs4", "lustre", "gpfs", "beegfs", "fhgfs", "ceph", "wekafs", "panfs", "afs", "cifs", "smb3"),
    *("gfs2", "ocfs2", "orangefs", "pvfs2"),
}
"""Types of file systems that many machines mount; fuse.* besides."""


def check_paths(store: Path, shared: tuple[Path, ...], mounts: Path = MOUNTS) -> list[Finding]:
    """The package itself is in the snapshot."""
    found = _writable(store)
    found += everywhere("the store", store, shared, mounts, "Give a store there: --store, or CLPD_STORE")
    # Not where the links of a virtual environment lead: that is most often /usr, which each node has its own of.
    python = Path(sys.executable).absolute()
    of_python = everywhere("this Python", python, shared, mounts, "Set the virtual environment up there")
    if of_python and python.is_relative_to("/usr"):
        what = f"this Python is {python}, which each node has its own of"
        fix = "Have clpd in a virtual environment on a shared folder, or see that every node has the same packages"
        of_python = [Finding("warning", what, fix)]
    return found + of_python


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the file system that a path lies on; None where that cannot be told."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    real, depth, found = path.resolve(), 0, None
    for line in lines:
        mounted, separator, source = line.partition(" - ")
        if not separator or len(mounted.split()) < 5:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), mounted.split()[4]))
        # Of two on one place the later hides the earlier.
        if real.is_relative_to(point) and len(point.parts) >= depth:
            depth, found = len(point.parts), source.split()[0]
    return found


def everywhere(what: str, path: Path, shared: tuple[Path, ...], mounts: Path, move: str) -> list[Finding]:
    """Whether every node sees a path: it lies in one of the folders `shared`, or on a file system that many mount."""
    if shared:
        if any(path.resolve().is_relative_to(folder.resolve()) for folder in shared):
            return []
        there = ", ".join(map(str, shared))
        told = f"{what} ({path}) lies in no folder that every node sees ({there}, says the site file)"
        return [Finding("fatal", told, f"{move}; or add its folder to `shared` in the site file")]
    kind = file_system(path, mounts)
    if kind and (kind in SHARED or kind.startswith("fuse.")):
        return []
    told = f"{what} ({path}) lies on {kind or 'a file system of unknown type'}, which the nodes may not see"
    return [Finding("warning", told, "Say which folders every node sees: `shared: [...]` in the site file")]


def _writable(store: Path) -> list[Finding]:
    folder = existing(store.absolute())
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".clpd-preflight-"):
            return []
    except OSError as error:
        what = f"the store ({store}) cannot be written: {error.strerror} ({folder})"
        return [Finding("fatal", what, "Give a folder of your own: --store, or CLPD_STORE")]
