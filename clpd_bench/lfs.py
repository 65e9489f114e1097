"""Pointers of Git LFS: what lies in a clone in the place of a file that was not fetched with it."""

from __future__ import annotations

from pathlib import Path

from clpd_bench.errors import UserError

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
