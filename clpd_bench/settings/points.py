"""The points of an ablation's grid: its axes multiplied, less what its constraints exclude.

`axes` multiply. Each key of `one_at_a_time` varies alone around every point that the axes make; a value
that changes nothing there is no further point. A key is a setting of the file, below one of MAY_VARY.
At each point the arms have what was tuned for them there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from clpd_bench.errors import UserError
from clpd_bench.settings import overrides
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.axes import GRID, check_axes, matches, short_names, value_text
from clpd_bench.settings.checks import check
from clpd_bench.settings.findings import first_finding
from clpd_bench.settings.yaml_reader import dotted

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
                raise _blamed(ablation, point.coordinates, error.key or "", error) from None


def _point(ablation: Ablation, base: dict[str, Any], coordinates: dict[str, Any]) -> Point | None:
    data = _listed(base)
    for key, value in coordinates.items():
        overrides.put(data, key, _listed(value), source=f"an axis ({key})")
    if any(matches(constraint, coordinates, data) for constraint in ablation.constraints):
        return None
    try:
        resolved = Ablation.model_validate(data, context={"folder": ablation.folder})
    except ValidationError as error:
        finding = first_finding(error, data, Ablation)
        told = UserError(finding.message, found=finding.found, allowed=finding.allowed, fix=finding.fix)
        raise _blamed(ablation, coordinates, dotted(finding.path), told) from None
    return Point(MappingProxyType(coordinates), label(ablation, coordinates), resolved)


def label(ablation: Ablation, coordinates: Mapping[str, Any]) -> str:
    """`[strength=0.6,epochs=4]`: each key by the shortest tail that no other has."""
    names = short_names([*ablation.axes, *ablation.one_at_a_time])
    inner = ",".join(f"{names[key]}={value_text(value)}" for key, value in coordinates.items())
    return f"[{inner}]" if inner else ""


def _blamed(ablation: Ablation, coordinates: Mapping[str, Any], key: str, error: UserError) -> UserError:
    """The error of a point, told at the axis that is most to do with it."""
    near = [axis for axis in coordinates if f"{key}.".startswith(f"{axis}.") or f"{axis}.".startswith(f"{key}.")]
    axis = (near or list(coordinates))[-1]
    part = "axes" if axis in ablation.axes else "one_at_a_time"
    values: Iterable[Any] = getattr(ablation, part)[axis]
    place = f"{part}.{axis}.{list(values).index(coordinates[axis])}"
    where = "" if key == axis else f"{key}: "
    return UserError(
        f"{where}{error.message}, at the point {label(ablation, coordinates)}",
        key=place,
        found=error.found,
        allowed=error.allowed,
        fix=error.fix,
    )


def _listed(value: Any) -> Any:
    """A copy with lists for tuples, which `put` can reach into."""
    if isinstance(value, dict):
        return {key: _listed(inner) for key, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, (list, tuple)) else value
