"""Files that survive a power cut, and arrays in them of which only what is asked for comes into memory."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


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


FILE_BYTES = 2**30


class MappedRows:
    """Shape [N, ...], rows 0..n-1 in `<name>-00000.npy`, the next n in `<name>-00001.npy`, and so on.

    Files are mapped while rows are read or written, and no longer: what was touched does not stay in memory.
    """

    def __init__(self, folder: Path, name: str, mode: str = "r") -> None:
        self._files = matching(folder, f"{name}-*.npy")
        if not self._files:
            raise FileNotFoundError(f"no {name}-*.npy in {folder}")
        self._mode: Any = mode
        first = self._map(0)
        self._per_file, self._row, self.dtype = len(first), first.shape[1:], first.dtype
        self._rows = (len(self._files) - 1) * self._per_file + len(self._map(-1))

    @classmethod
    def new(cls, folder: Path, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> MappedRows:
        """To be filled row by row."""
        per_file = max(1, FILE_BYTES // max(1, int(np.prod(shape[1:])) * np.dtype(dtype).itemsize))
        for i, start in enumerate(range(0, max(1, shape[0]), per_file)):
            rows = min(per_file, shape[0] - start)
            np.lib.format.open_memmap(
                folder / f"{name}-{i:05}.npy", mode="w+", dtype=np.dtype(dtype), shape=(rows, *shape[1:])
            )
        return cls(folder, name, "r+")

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        taken = np.empty((len(rows), *self._row), self.dtype)
        for file in np.unique(rows // self._per_file):
            mine = rows // self._per_file == file
            taken[mine] = self._map(file)[rows[mine] - file * self._per_file]
        return taken

    def __setitem__(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        for file in np.unique(rows // self._per_file):
            mine = rows // self._per_file == file
            self._map(file)[rows[mine] - file * self._per_file] = values[mine]

    def sync(self) -> None:
        """Puts all files on the disk."""
        for file in self._files:
            fsync(file)

    def _map(self, file: int) -> NDArray[Any]:
        mapped: NDArray[Any] = np.load(self._files[file], mmap_mode=self._mode)
        return mapped
