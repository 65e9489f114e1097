"""The points of a grid: axes multiplied, less what constraints exclude, each checked.

`axes` multiply. Each key of `one_at_a_time` varies alone around every point that the axes make; a value that
changes nothing there makes no further point. A key is a setting of the file, below one of MAY_VARY. At each point
the arms have what was tuned for them there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from clpd_bench.errors import UserError
from clpd_bench.settings.file import merge
from clpd_bench.settings.file.explain import first_mistake
from clpd_bench.settings.parts.ablation import Ablation, Constraint
from clpd_bench.settings.rules.checks import check

GRID = ("axes", "one_at_a_time", "constraints")
MAY_VARY = ("student", "loss", "targets", "curriculum", "teachers", "models")


def check_axes(ablation: Ablation) -> None:
    """Keys that may vary, none inside another; constraints about values that occur.

    Raises:
        UserError: with the key of the axis or the constraint.
    """
    axes = [("axes", key) for key in ablation.axes] + [("one_at_a_time", key) for key in ablation.one_at_a_time]
    for i, (part, key) in enumerate(axes):
        root = key.split(".")[0]
        if root not in MAY_VARY:
            raise UserError(f"an axis may not vary {root!r}", key=f"{part}.{key}", found=root, allowed=MAY_VARY)
        for _, other in axes[:i]:
            if f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}."):
                raise UserError(
                    f"{other} varies already, and one of the two lies inside the other",
                    key=f"{part}.{key}",
                    fix="Let each setting vary in one place",
                )
        values = getattr(ablation, part)[key]
        texts = [value_text(value) for value in values]
        for place, text in enumerate(texts):
            if text in texts[:place]:
                raise UserError(f"two values are both called {text}", key=f"{part}.{key}.{place}")
    _check_constraints(ablation)


def _check_constraints(ablation: Ablation) -> None:
    keys = {**ablation.axes, **ablation.one_at_a_time}
    data = ablation.model_dump()
    for i, constraint in enumerate(ablation.constraints):
        for key, value in constraint.exclude.items():
            place = f"constraints.{i}.exclude.{key}"
            if key not in keys:
                raise UserError(f"no axis varies {key!r}", key=place, found=key, allowed=keys)
            occur = [*keys[key], *([_at(data, key)] if key in ablation.one_at_a_time else [])]
            if value not in occur:
                raise UserError(f"{key} is never {value!r}", key=place, found=value, allowed=occur)


def matches(constraint: Constraint, coordinates: Mapping[str, Any], data: dict[str, Any]) -> bool:
    """Whether a point has all the values that a constraint excludes; where it does not vary a key, the file's."""
    here = {key: coordinates[key] if key in coordinates else _at(data, key) for key in constraint.exclude}
    return here == constraint.exclude


def _at(data: Any, path: str) -> Any:
    """The value at a dotted path, None where there is none."""
    for part in path.split("."):
        if isinstance(data, (list, tuple)):
            data = data[int(part)] if part.isdigit() and int(part) < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return list(data) if isinstance(data, tuple) else data


def short_names(keys: Iterable[str]) -> dict[str, str]:
    """{key: the shortest tail of its path that is no other key's}."""
    keys = list(keys)

    def tail(key: str) -> str:
        parts = key.split(".")
        for n in range(1, len(parts)):
            short = ".".join(parts[-n:])
            if not any(f".{other}".endswith(f".{short}") for other in keys if other != key):
                return short
        return key

    return {key: tail(key) for key in keys}


def value_text(value: Any) -> str:
    """A value inside a name: `0.6`, `blend:0.6`, `small+large`."""
    if isinstance(value, dict):
        return ":".join(value_text(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return "+".join(map(value_text, value)) or "none"
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


BASE = "base"
"""What the point without a label is called."""


@dataclass(frozen=True)
class Point:
    """A point of the grid.

    Attributes:
        coordinates: {varied key: its value here}; none at the base.
        label: what it is called by, as `[strength=0.6,epochs=4]`; empty at the base.
        ablation: the file with these values, without axes.
    """

    coordinates: Mapping[str, Any]
    label: str
    ablation: Ablation

    @property
    def name(self) -> str:
        """The label, or BASE."""
        return self.label or BASE


def points(ablation: Ablation) -> list[Point]:
    """The grid's points in the file's order: the last axis runs fastest.

    Raises:
        UserError: an axis that cannot be, values that will not do, a grid without points.
    """
    if not ablation.axes and not ablation.one_at_a_time:
        check_axes(ablation)
        return [_given(Point(MappingProxyType({}), "", ablation), ablation.chosen)]
    check_axes(ablation)
    base = _listed({key: value for key, value in ablation.model_dump().items() if key not in GRID})
    found: list[Point] = []
    for values in itertools.product(*ablation.axes.values()):
        middle = dict(zip(ablation.axes, values, strict=True))
        around = [{**middle, key: value} for key, several in ablation.one_at_a_time.items() for value in several]
        block: list[Point] = []
        for coordinates in [middle, *around]:
            point = _point(ablation, base, coordinates)
            if point and all(point.ablation != other.ablation for other in block):
                block.append(point)
        found += [_given(point, ablation.chosen) for point in block]
    if not found:
        raise UserError(
            "the constraints exclude every point, so the grid has no cells",
            key="constraints",
            fix="Take one away, or give an axis more values",
        )
    return found


def _given(point: Point, chosen: Mapping[str, Mapping[str, dict[str, Any]]]) -> Point:
    """The point with what was tuned for its arms."""
    if not chosen:
        return point
    mine = chosen[point.name]
    arms = {name: arm.model_copy(update={"tuned": mine.get(name, {})}) for name, arm in point.ablation.arms.items()}
    return replace(point, ablation=point.ablation.model_copy(update={"arms": arms, "chosen": {}}))


def check_points(ablation: Ablation) -> None:
    """Every combination of settings at every point.

    Raises:
        UserError: with the key of the axis that brings it about.
    """
    for point in points(ablation):
        if point.coordinates or ablation.chosen:
            try:
                check(point.ablation)
            except UserError as error:
                if not point.coordinates:
                    raise
                raise _blamed(ablation, point.coordinates, error) from None


def _point(ablation: Ablation, base: dict[str, Any], coordinates: dict[str, Any]) -> Point | None:
    data = _listed(base)
    for key, value in coordinates.items():
        merge.put(data, key, _listed(value), source=f"an axis ({key})")
    if any(matches(constraint, coordinates, data) for constraint in ablation.constraints):
        return None
    try:
        resolved = Ablation.model_validate(data, context={"folder": ablation.folder})
    except ValidationError as error:
        raise _blamed(ablation, coordinates, first_mistake(error, data, Ablation).error()) from None
    return Point(MappingProxyType(coordinates), label(ablation, coordinates), resolved)


def label(ablation: Ablation, coordinates: Mapping[str, Any]) -> str:
    """`[strength=0.6,epochs=4]`: each key by the shortest tail that no other has."""
    names = short_names([*ablation.axes, *ablation.one_at_a_time])
    inner = ",".join(f"{names[key]}={value_text(value)}" for key, value in coordinates.items())
    return f"[{inner}]" if inner else ""


def _blamed(ablation: Ablation, coordinates: Mapping[str, Any], error: UserError) -> UserError:
    """The error of a point, placed at the axis that has most to do with it."""
    key = error.key or ""
    near = [axis for axis in coordinates if f"{key}.".startswith(f"{axis}.") or f"{axis}.".startswith(f"{key}.")]
    axis = (near or list(coordinates))[-1]
    part = "axes" if axis in ablation.axes else "one_at_a_time"
    values: Iterable[Any] = getattr(ablation, part)[axis]
    place = f"{part}.{axis}.{list(values).index(coordinates[axis])}"
    where = "" if key == axis else f"{key}: "
    return error.at(message=f"{where}{error.message}, at the point {label(ablation, coordinates)}", key=place)


def _listed(value: Any) -> Any:
    """A copy with lists for tuples, which `put` can reach into."""
    if isinstance(value, dict):
        return {key: _listed(inner) for key, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, (list, tuple)) else value
