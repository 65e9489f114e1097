"""Settings on top of one another, each value with its place: `extends:`, `like:` and `--set`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.file.yaml_reader import KeyPath, parse


@dataclass(frozen=True)
class Place:
    """A line of a file, or a `--set` where there is no file."""

    file: Path | None
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "--set"


SET = Place(None, 0)


@dataclass
class PlacedSettings:
    """Plain data, and the place of each key path in it (`texts` of it: a key may be no text yet)."""

    data: dict[str, Any]
    places: dict[tuple[str, ...], Place]

    def inside(self, path: KeyPath) -> PlacedSettings:
        """The mapping at a path, its paths counted from there."""
        data: Any = self.data
        for part in path:
            data = data[part]
        start = texts(path)
        return PlacedSettings(data, {p[len(path) :]: place for p, place in self.places.items() if _below(p, start)})

    def replace(self, path: KeyPath, other: PlacedSettings) -> None:
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


def on_top(below: PlacedSettings, above: PlacedSettings) -> PlacedSettings:
    """`above` over `below`: mappings merge; lists, values and a mapping with another `name` replace."""
    out = PlacedSettings(below.data, dict(below.places))
    out.data = _merged(below.data, above.data, (), out, above)
    return out


def _merged(mine: Any, theirs: Any, path: tuple[str, ...], out: PlacedSettings, above: PlacedSettings) -> Any:
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


def expand(placed: PlacedSettings, place: Callable[[KeyPath, UserError], UserError]) -> None:
    """Puts the arm that each `like:` names underneath the arm's own keys, in place.

    Args:
        place: gives an error its file and line.

    Raises:
        UserError: there is no such arm, or arms that are like each other in a circle.
    """
    arms = placed.data.get("arms")
    if isinstance(arms, dict):
        for name in arms:
            _expand(placed, arms, name, [], place)


def _expand(
    placed: PlacedSettings,
    arms: dict[Any, Any],
    name: Any,
    asked: list[Any],
    place: Callable[[KeyPath, UserError], UserError],
) -> None:
    arm = arms[name]
    if not isinstance(arm, dict) or "like" not in arm:
        return
    other, at = arm["like"], ("arms", str(name), "like")
    if not isinstance(other, str) or other not in arms:
        raise place(at, UserError(f"there is no arm {other!r}", found=other, allowed=map(str, arms)))
    if other in [*asked, name]:
        raise place(
            at,
            UserError(f"arm {name!r} is like arm {other!r}, and that one in the end like {name!r}",
                      fix="Write one of them out"),
        )  # fmt: skip
    _expand(placed, arms, other, [*asked, name], place)
    mine = placed.inside(("arms", name))
    del mine.data["like"]
    mine.forget(("like",))
    if isinstance(arms[other], dict):
        placed.replace(("arms", name), on_top(placed.inside(("arms", other)), mine))


def put(data: Any, path: str, value: Any, *, source: str) -> None:
    """Sets the value at a dotted path inside mappings and lists, in place; missing mappings are made.

    Raises:
        UserError: the path runs through something that has no keys, or past the end of a list.
    """
    *parents, last = path.split(".")
    here = data
    for depth, part in enumerate([*parents, last]):
        final = depth == len(parents)
        if isinstance(here, list):
            if not part.isdigit() or int(part) >= len(here):
                raise UserError(
                    f"{source} wants place {part!r} of a list of {len(here)}; places count from 0", key=path
                )
            if final:
                here[int(part)] = value
            else:
                here = here[int(part)]
        elif isinstance(here, dict):
            if final:
                here[part] = value
            else:
                here = here.setdefault(part, {})
        else:
            before = ".".join(path.split(".")[:depth])
            raise UserError(f"{source} reaches into {before}, which is {str(here)[:40]!r} and has no keys", key=path)


def apply(data: Any, text: str) -> str:
    """Applies one `key.path=value`, the value read as YAML, and returns the path.

    Raises:
        UserError: it is not of that form, or leads nowhere.
    """
    path, equals, written = text.partition("=")
    path = path.strip()
    if not equals or not all(path.split(".")):
        raise UserError(
            f"--set {text!r} is not of the form key.path=value", fix="For example --set student.training.epochs=2"
        )
    try:
        value = parse(written, "--set")[0]
    except UserError as error:
        raise UserError(f"--set {text!r}: {error.message}", fix="The value is read as YAML; quote it") from None
    put(data, path, value, source="--set")
    return path
