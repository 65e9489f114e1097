"""What survives a power cut, and whether it is still what it was."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def sha256(file: Path) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Puts a file's content, or a folder's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def matching(folder: Path, pattern: str) -> list[Path]:
    """What a folder holds by names of this pattern, sorted; nothing where it is missing, or removed meanwhile."""
    try:
        return sorted(folder.glob(pattern))
    except FileNotFoundError:
        return []
