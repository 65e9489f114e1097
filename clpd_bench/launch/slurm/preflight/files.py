"""Files that jobs will read and write: there as planned, on every node, with room for what comes."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clpd_bench.costs.footprint import Footprint
from clpd_bench.errors import UserError
from clpd_bench.launch.fetch import fetch
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.outside.hub import cache
from clpd_bench.outside.local_files import sha256_of
from clpd_bench.outside.weights import files_of
from clpd_bench.plan.lock import Need, needs
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.base import inside
from clpd_bench.settings.parts.pretrained import Start
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.specs import CorpusSpec
from clpd_bench.store import Store

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
        problem = f"{what} ({path}) lies in no folder that every node sees ({there}, says the site file)"
        return [Finding("fatal", problem, f"{move}; or add its folder to `shared` in the site file")]
    kind = file_system(path, mounts)
    if kind and (kind in SHARED or kind.startswith("fuse.")):
        return []
    problem = f"{what} ({path}) lies on {kind or 'a file system of unknown type'}, which the nodes may not see"
    return [Finding("warning", problem, "Say which folders every node sees: `shared: [...]` in the site file")]


def _writable(store: Path) -> list[Finding]:
    folder = existing(store.absolute())
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".clpd-preflight-"):
            return []
    except OSError as error:
        what = f"the store ({store}) cannot be written: {error.strerror} ({folder})"
        return [Finding("fatal", what, "Give a folder of your own: --store, or CLPD_STORE")]


NEARLY = 0.8
"""Of what is free: above it estimates and neighbours may fill the rest."""
_FREE = "Free some (clpd store size, clpd store gc FILE), or give a store with more: --store, or CLPD_STORE"


def check_disk(needed: Footprint, store: Store) -> list[Finding]:
    free = os.statvfs(existing(store.root.absolute()))
    found = _compare("GB", ",.1f", needed.bytes / 1e9, free.f_bavail * free.f_frsize / 1e9, store)
    if free.f_files:  # 0 where files are not counted
        found += _compare("files", ",.0f", needed.files, free.f_favail, store)
    if needed.unknown:
        first, more = needed.unknown[0], len(needed.unknown) - 1
        what = (
            f"how much {first}{f' and {more} more' if more else ''} will write is not known, the corpora being unmade"
        )
        found.append(Finding("warning", what, "Make them first: clpd plan FILE --corpus"))
    return found


def _compare(unit: str, form: str, needed: float, free: float, store: Store) -> list[Finding]:
    if needed <= NEARLY * free:
        return []
    what = f"about {needed:{form}} {unit} are to be written to {store.root}, and {free:{form}} are free"
    return [Finding("fatal" if needed > free else "warning", what, _FREE)]


MOVE_CACHE = "Let HF_HUB_CACHE name a folder there, and fetch again"


def check_inputs(plan: Plan, todo: set[str]) -> list[Finding]:
    """The user's own functions, the texts of corpora and the pretrained weights that are still to be read, and what
    is a hub's, which is fetched if it is not in the cache."""
    wanted: dict[tuple[Path, ...], str] = {}
    for key in (key for key in plan.jobs if key in todo):
        spec = plan.jobs[key].spec
        wanted |= {(plugin.file,): plugin.sha256 for _, plugin in inside(spec, Plugin)}
        wanted |= {files: sha256 for start in _starts(plan, key) for files, sha256 in files_of(start)}
        if isinstance(spec, CorpusSpec):
            wanted |= {(file,): spec.file_hashes[role] for role, file in spec.corpus.source.local_files.items()}
    found = [finding for files, sha256 in wanted.items() for finding in _as_planned(files, sha256)]
    # A model and its tokenizer are two needs, of which the same may be said.
    return found + list(dict.fromkeys(finding for need in needs(plan, todo) for finding in _fetched(need)))


def check_weights_everywhere(plan: Plan, todo: set[str], shared: tuple[Path, ...]) -> list[Finding]:
    """Whether nodes see the local weights that models are still to be made of, and the hub's cache, if it is read."""
    models = [key for key in plan.jobs if key in todo and plan.jobs[key].kind == "model"]
    files = [paths for key in models for start in _starts(plan, key) for paths, _ in files_of(start)]
    folders = dict.fromkeys(path.parent for paths in files for path in paths)
    found = [
        one for folder in folders for one in everywhere("pretrained weights", folder, shared, MOUNTS, "Put them there")
    ]
    return found + (everywhere("the hub's cache", cache(), shared, MOUNTS, MOVE_CACHE) if needs(plan, todo) else [])


def _starts(plan: Plan, key: str) -> Iterator[Start]:
    return (start for _, start in inside(plan.jobs[key].spec, Start))


def _fetched(need: Need) -> list[Finding]:
    try:
        fetch(need)
    except UserError as error:
        return [Finding("fatal", error.message, error.fix or "Fetch it where there is a network")]
    return []


def _as_planned(files: tuple[Path, ...], sha256: str) -> list[Finding]:
    file = files[0]
    try:
        same = sha256_of(*files) == sha256
    except OSError as error:
        problem = f"{error.filename or file} cannot be read: {error.strerror}"
        return [Finding("fatal", problem, "Put it back, then launch again")]
    if same:
        return []
    return [Finding("fatal", f"{file} has changed since it was planned", "Launch again, so that it is planned anew")]
