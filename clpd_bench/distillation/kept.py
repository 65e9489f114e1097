"""Models kept on the way: whole folders, complete or absent, verified when read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from clpd_bench.distillation.files import fsync, matching, sha256

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
        making = self._making(step)
        self._write(making)
        hashes = {str(file.relative_to(making)): sha256(file) for file in sorted(making.rglob("*")) if file.is_file()}
        (making / HASHES).write_text(json.dumps(hashes))
        self._put(making, step)

    def has(self, step: int) -> bool:
        """Whether any attempt has kept it."""
        return self._find(step) is not None

    def bring(self, step: int) -> bool:
        """Copies one that only an earlier attempt has kept, and may drop, into this attempt's folder; whether
        it is there now."""
        place = self._find(step)
        if place is None or place.parent == self._folder:
            return place is not None
        making = self._making(step)
        try:
            shutil.copytree(place, making, dirs_exist_ok=True)
        except OSError:  # dropped at this moment
            return False
        if not _verifies(making):
            return False
        self._put(making, step)
        return True

    def drop_all_but(self, steps: Collection[int | None]) -> None:
        """Of this attempt's own."""
        wanted = {_place(self._folder, step) for step in steps if step is not None}
        for place in set(matching(self._folder, "kept-*")) - wanted:
            shutil.rmtree(place, ignore_errors=True)

    def copy(self, step: int, to: Path) -> None:
        """
        Raises:
            FileNotFoundError: no attempt has kept that step.
        """
        place = self._find(step)
        if place is None:
            raise FileNotFoundError(f"no model of step {step} is kept in {self._folder}, nor in earlier attempts")
        shutil.copytree(place, to, ignore=shutil.ignore_patterns(HASHES), dirs_exist_ok=True)

    def _making(self, step: int) -> Path:
        """An empty folder to fill."""
        making = self._folder / f"making-kept-{step}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        return making

    def _put(self, making: Path, step: int) -> None:
        for path in (*making.rglob("*"), making):
            fsync(path)
        place = _place(self._folder, step)
        shutil.rmtree(place, ignore_errors=True)
        making.rename(place)
        fsync(self._folder)

    def _find(self, step: int) -> Path | None:
        return next((place for folder in self._places if _verifies(place := _place(folder, step))), None)


def _place(folder: Path, step: int) -> Path:
    return folder / f"kept-{step}"


def _verifies(folder: Path) -> bool:
    try:
        hashes: dict[str, str] = json.loads((folder / HASHES).read_text())
        return all(sha256(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError):
        return False
