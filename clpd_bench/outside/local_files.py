"""Local files: their sha256, remembered for large ones; and pointers of Git LFS, refused."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from clpd_bench.errors import UserError

LARGE = 1 << 20
"""Bytes from which on a digest is remembered."""
SETTLED = 2.0
"""Seconds: a file that was written later than so may change again within one tick of its clock."""


def sha256_of(*files: Path) -> str:
    """Hex digest of the files' bytes, one after the other.

    That of large files is kept in the user's cache folder with their size, time of change and inode.

    Raises:
        OSError: one cannot be read.
    """
    stats = _stats(files)
    if sum(size for size, _, _ in stats) < LARGE:
        return _digest(files)
    entry = _folder() / hashlib.sha256("\0".join(str(file.absolute()) for file in files).encode()).hexdigest()
    known = _read(entry, stats)
    if known is not None:
        return known
    digest = _digest(files)
    newest = max(changed for _, changed, _ in stats) / 1e9
    if _stats(files) == stats and time.time() - newest > SETTLED:
        _write(entry, {"stats": stats, "sha256": digest})
    return digest


def _stats(files: Sequence[Path]) -> list[list[int]]:
    stats = [file.stat() for file in files]
    return [[stat.st_size, stat.st_mtime_ns, stat.st_ino] for stat in stats]


def _digest(files: Sequence[Path]) -> str:
    if len(files) == 1:
        with files[0].open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(LARGE):
                digest.update(block)
    return digest.hexdigest()


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "clpd_bench" / "sha256"


def _read(entry: Path, stats: list[list[int]]) -> str | None:
    try:
        kept = json.loads(entry.read_text())
        return str(kept["sha256"]) if kept["stats"] == stats else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(entry: Path, kept: dict[str, object]) -> None:
    """Where it cannot be written, nothing is remembered."""
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=entry.parent, delete=False) as written:
            json.dump(kept, written)
        Path(written.name).replace(entry)
    except OSError:
        pass


BEGINNING = b"version https://git-lfs.github.com/spec/"


def refuse_pointer(file: Path) -> None:
    """
    Raises:
        UserError: it is one.
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        if opened.read(len(BEGINNING)) == BEGINNING:
            raise UserError(
                f"{file.name} in folder {file.parent.name} is a pointer of Git LFS, and the file that it stands for "
                "was not fetched",
                file=file,
                fix="Fetch it: `git lfs pull` in the clone that it lies in",
            )
