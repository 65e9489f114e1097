"""From a file to an `Ablation`: every mistake has its file, line and key, every value its origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clpd_bench.errors import UserError
from clpd_bench.grid.points import GRID, check_points, points
from clpd_bench.grid.space import check_tune
from clpd_bench.grid.tuned import read_tuned, refuse_stale
from clpd_bench.settings.file import merge, read
from clpd_bench.settings.file.explain import Mistake, first_mistake
from clpd_bench.settings.file.merge import SET, Place, PlacedSettings, texts
from clpd_bench.settings.file.yaml_reader import KeyPath, dotted
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.rules.checks import check

DEFAULT = "default"


@dataclass(frozen=True)
class Origin:
    """A resolved setting: `value` is JSON, `source` a file and line, `--set`, `default` or an axis."""

    key: str
    value: Any
    source: str


def origins(ablation: Ablation, placed: PlacedSettings) -> list[Origin]:
    """Every setting of the file in the order of its definition; one that varies has its axis too."""
    axes = {key: part for part in GRID[:2] for key in getattr(ablation, part)}
    found = []
    for path, value in _leaves(ablation.model_dump(mode="json"), ()):
        key, source = dotted(path), _source(path, placed)
        axis = next((a for a in axes if path[0] not in GRID and f"{key}.".startswith(f"{a}.")), None)
        if axis is not None:
            place = placed.place((axes[axis], axis))
            value = list(getattr(ablation, axes[axis])[axis]) if key == axis else value
            source = f"axis {place}" if axes[axis] == "axes" else f"one at a time {place}, base {source}"
        found.append(Origin(key, value, source))
    return found


def _leaves(value: Any, path: KeyPath) -> Iterable[tuple[KeyPath, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif path:
        yield path, value


def _source(path: KeyPath, placed: PlacedSettings) -> str:
    """A name written short stands for all that it expands to; what a mapping leaves out is a default."""
    here: Any = placed.data
    for part in path:
        if not isinstance(here, dict):
            break
        here = {str(key): value for key, value in here.items()}
        if part not in here:
            return DEFAULT
        here = here[part]
    return str(placed.place(path) or DEFAULT)


def load_ablation(file: Path, sets: list[str] | None = None) -> Ablation:
    """Reads, overrides, validates and cross-checks an ablation file.

    Raises:
        UserError: whatever can be known to be wrong without looking at data.
    """
    return _load(file, sets)[0]


def load_untuned(file: Path, sets: list[str] | None = None) -> Ablation:
    """As `load_ablation`, whatever the file that its `tuned:` names holds: what `clpd tune` starts from."""
    return _load(file, sets, with_tuned=False)[0]


def load_origins(file: Path, sets: list[str] | None = None) -> list[Origin]:
    """Each setting of the ablation that `load_ablation` gives, with where it comes from."""
    return origins(*_load(file, sets))


def _load(file: Path, sets: list[str] | None, with_tuned: bool = True) -> tuple[Ablation, PlacedSettings]:
    placed = read.read(file)
    places = _Places(file, placed)
    for one in sets or []:
        places.override(merge.apply(placed.data, one))
    merge.expand(placed, places.at)
    _point_at_undeclared_differences(placed.data, places)
    ablation = _checked(placed, places)
    if with_tuned and ablation.tuned is not None:
        _put_tuned(ablation, ablation.tuned, placed, places)
        ablation = _checked(placed, places)
    return ablation, placed


def _checked(placed: PlacedSettings, places: _Places) -> Ablation:
    data = placed.data
    try:
        ablation = Ablation.model_validate(data, context={"folder": places.file.parent})
    except ValidationError as error:
        raise _placed(first_mistake(error, data, Ablation), data, places) from None
    try:
        check(ablation)
        check_points(ablation)
        check_tune(ablation)
    except UserError as error:
        raise places.at(places.split(error.key or ""), error) from None
    return ablation


def _put_tuned(ablation: Ablation, source: Path, placed: PlacedSettings, places: _Places) -> None:
    """Gives each tuned arm its chosen values at each point, which come from their lines of the tuned file."""
    again = f"clpd tune {places.file}"
    if not source.is_file():
        fix = f"Make it: {again}; or take `tuned:` away"
        raise places.at(("tuned",), UserError(f"there is no file {str(source)!r}", fix=fix))
    tuned, lines = read_tuned(source)
    try:
        refuse_stale(ablation, tuned)
    except UserError as error:
        raise places.at(("tuned",), error.at(fix=f"Tune again: {again}; `tuned:` names what it writes")) from None
    placed.data["chosen"] = {}
    for point in (one.name for one in points(ablation)):
        arms = tuned.points[point]
        placed.data["chosen"][point] = {name: dict(arm.chosen) for name, arm in arms.items()}
        for name, arm in arms.items():
            for key in arm.chosen:
                line = lines[("points", point, name, "chosen", key)]
                placed.places[("chosen", point, name, key)] = Place(source, line)


class _Places:
    """Where settings come from: a line of a file, or a `--set`."""

    def __init__(self, file: Path, placed: PlacedSettings) -> None:
        self.file, self.placed = file, placed
        self.in_files = set(placed.places)
        self.overridden: list[str] = []

    def override(self, key: str) -> None:
        """Says that a key's value is now that of a `--set`."""
        path = tuple(key.split("."))
        self.placed.forget(path)
        self.placed.places[path] = SET
        self.overridden.append(key)

    def has(self, path: KeyPath) -> bool:
        """Whether the files themselves have this key."""
        return texts(path) in self.in_files

    def split(self, key: str) -> KeyPath:
        """A dotted key as a path; names that themselves have dots, as an axis has, stay in one piece."""
        names = {dotted(path): path for path in self.placed.places}
        parts = key.split(".")
        for n in range(len(parts), 0, -1):
            start = names.get(".".join(parts[:n]))
            if start is not None:
                return (*start, *parts[n:])
        return tuple(parts)

    def at(self, path: KeyPath, error: UserError) -> UserError:
        """The error at the place in which the setting was placed."""
        place = self.placed.place(path)
        by_set = place == SET
        return error.at(
            message=f"{error.message} (as --set gives it)" if by_set else None,
            file=(place.file if place else None) or self.file,
            line=place.line if place and not by_set else None,
            key=dotted(path),
        )


def _placed(mistake: Mistake, data: dict[str, Any], places: _Places) -> UserError:
    path = mistake.path
    if mistake.missing and not places.has(path[:-1]):
        made = next(path[:i] for i in range(1, len(path)) if not places.has(path[:i]))
        names = _at(data, made[:-1])
        others = [str(name) for name in names if places.has((*made[:-1], name))] if isinstance(names, dict) else []
        if any(other.startswith(dotted(made) + ".") for other in places.overridden):
            return UserError(
                f"--set reaches into {dotted(made)}, which the file does not have",
                file=places.file,
                key=dotted(made),
                found=str(made[-1]),
                allowed=others,
            )
    return places.at(path, mistake.error())


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _point_at_undeclared_differences(data: dict[str, Any], places: _Places) -> None:
    """A setting written straight under an arm would be a difference that nobody declared."""
    arms = data.get("arms")
    arms = {name: arm for name, arm in arms.items() if isinstance(arm, dict)} if isinstance(arms, dict) else {}
    by_hand: list[KeyPath] = [("arms", name, "tuned") for name, arm in arms.items() if arm.get("tuned")]
    if data.get("chosen"):
        by_hand.append(("chosen",))
    for path in by_hand:
        raise places.at(
            path,
            UserError(
                "is not written by hand: what an arm is tuned to comes from the file that `tuned:` names",
                fix="Put a value that you chose yourself under the arm's `differs:`",
            ),
        )
    for name, arm in arms.items():
        for key in arm:
            if str(key).split(".")[0] in ("student", "training", "loss", "curriculum", "targets"):
                raise places.at(
                    ("arms", name, key),
                    UserError(
                        f"arm {name!r} sets {key}, a difference that it does not declare",
                        fix="Arms of a comparison differ in order and teachers alone; anything else stands under "
                        "the arm's `differs:`, as in differs: {student.training.learning_rate: 1e-3}",
                    ),
                )
