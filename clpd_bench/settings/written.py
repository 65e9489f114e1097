"""Settings as they are written, each with the file and line, or the `--set`, that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.settings.yaml_reader import KeyPath


@dataclass(frozen=True)
class Place:
    """A line of a file, or a `--set` where there is no file."""

    file: Path | None
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "--set"


SET = Place(None, 0)


@dataclass
class Written:
    """Plain data, and the place of each key path in it (`texts` of it: a key may be no text yet)."""

    data: dict[str, Any]
    places: dict[tuple[str, ...], Place]

    def inside(self, path: KeyPath) -> Written:
        """The mapping at a path, its paths counted from there."""
        data: Any = self.data
        for part in path:
            data = data[part]
        start = texts(path)
        return Written(data, {p[len(path) :]: place for p, place in self.places.items() if _below(p, start)})

    def replace(self, path: KeyPath, other: Written) -> None:
        """Puts another's data at a path that is there."""
        data: Any = self.data
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = other.data
        self.forget(path)
        self.places |= {(*texts(path), *p): place for p, place in other.places.items()}

    def forget(self, path: KeyPath) -> None:
        start = texts(path)
        self.places = {p: place for p, place in self.places.items() if not _below(p, start)}

    def place(self, path: KeyPath) -> Place | None:
        """Of the value at a path, or of the nearest that holds it."""
        whole = texts(path)
        return next((self.places[whole[:n]] for n in range(len(whole), 0, -1) if whole[:n] in self.places), None)


def texts(path: KeyPath) -> tuple[str, ...]:
    """A key path with places of lists, and keys of other types, as text."""
    return tuple(map(str, path))


def on_top(below: Written, above: Written) -> Written:
    """`above` over `below`: mappings merge; lists, values and a mapping with another `name` replace."""
    out = Written(below.data, dict(below.places))
    out.data = _merged(below.data, above.data, (), out, above)
    return out


def _merged(mine: Any, theirs: Any, path: tuple[str, ...], out: Written, above: Written) -> Any:
    if isinstance(mine, dict) and isinstance(theirs, dict) and not _another_name(mine, theirs):
        if path in above.places:
            out.places[path] = above.places[path]
        merged = dict(mine)
        for key, value in theirs.items():
            merged[key] = _merged(mine.get(key), value, (*path, str(key)), out, above)
        return merged
    out.forget(path)
    out.places |= {p: place for p, place in above.places.items() if _below(p, path)}
    return theirs


def _another_name(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return "name" in mine and "name" in theirs and mine["name"] != theirs["name"]


def _below(path: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return path[: len(other)] == other
