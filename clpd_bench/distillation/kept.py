"""Models kept on the way: whole folders, complete or absent, verified when read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from clpd_bench.distillation.files import fsync, sha256

HASHES = "hashes.json"


class KeptModels:
    """Args:
    folder: for this attempt's own.
    earlier: folders of earlier attempts; never written into.
    write: puts the model as it is into a folder.
    """

    def __init__(self, folder: Path, earlier: list[Path], write: Callable[[Path], None]) -> None:
        self._folder, self._write = folder, write
        self._places = [folder, *earlier]

    def keep(self, step: int) -> None:
        making, place = self._folder / f"making-kept-{step}", _place(self._folder, step)
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        self._write(making)
        _seal(making)
        shutil.rmtree(place, ignore_errors=True)
        making.rename(place)
        fsync(self._folder)

    def first_missing(self, steps: Iterable[int]) -> int | None:
        """The first of these steps that no attempt has kept."""
        return min((step for step in steps if self._find(step) is None), default=None)

    def copy(self, step: int, to: Path) -> None:
        """
        Raises:
            FileNotFoundError: no attempt has kept that step.
        """
        place = self._find(step)
        if place is None:
            raise FileNotFoundError(f"no model of step {step} is kept in {self._folder}, nor in earlier attempts")
        shutil.copytree(place, to, ignore=shutil.ignore_patterns(HASHES))

    def _find(self, step: int) -> Path | None:
        return next((place for folder in self._places if _verifies(place := _place(folder, step))), None)


def _place(folder: Path, step: int) -> Path:
    return folder / f"kept-{step}"


def _seal(folder: Path) -> None:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    (folder / HASHES).write_text(json.dumps({str(file.relative_to(folder)): sha256(file) for file in files}))
    for path in (*folder.rglob("*"), folder):
        fsync(path)


def _verifies(folder: Path) -> bool:
    try:
        hashes: dict[str, str] = json.loads((folder / HASHES).read_text())
        return all(sha256(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError):
        return False
