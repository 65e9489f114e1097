"""What each axis of a grid does to the primary result: its values, with the arms' scores at each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from clpd_bench.grid.points import short_names, value_text
from clpd_bench.plan.plan import PointPlan
from clpd_bench.results.collect import SeedScores

MOST_PANELS = 4


class ValueScores(NamedTuple):
    """A value of the axis, and the scores there."""

    value: Any
    scores: SeedScores


@dataclass(frozen=True)
class Panel:
    """The axis with all other varied settings fixed.

    Attributes:
        fixed: what they are fixed at, as `epochs=4`; "" where nothing else varies.
        places: numbers ascending, other values as the grid has them.
    """

    fixed: str
    places: list[ValueScores]


@dataclass(frozen=True)
class Sweep:
    """Attributes:
    key: the varied setting.
    name: the same, as short as it can be, fit for a file's name.
    panels: none with fewer than two values.
    """

    key: str
    name: str
    panels: list[Panel]

    @property
    def is_numeric(self) -> bool:
        return all(_is_number(place.value) for panel in self.panels for place in panel.places)


def sweeps(points: Sequence[PointPlan], scores: Mapping[str, SeedScores]) -> list[Sweep]:
    """One for each varied setting.

    A setting that a point does not vary has the file's own value there: so an axis that varies one at a time
    has the point that it varies around in its sweep.

    Args:
        scores: by the points' labels, those of the primary series; a point without any is left out.
    """
    keys = list(dict.fromkeys(key for one in points for key in one.point.coordinates))
    names = short_names(keys)
    return [Sweep(key, re.sub(r"[^\w.-]", "_", names[key]), _panels(key, points, scores, names)) for key in keys]


def _panels(
    key: str, points: Sequence[PointPlan], scores: Mapping[str, SeedScores], names: Mapping[str, str]
) -> list[Panel]:
    groups: dict[str, list[ValueScores]] = {}
    for one in points:
        here = one.point.coordinates
        fixed = ",".join(f"{names[other]}={value_text(value)}" for other, value in here.items() if other != key)
        value = here[key] if key in here else _setting(one.point.ablation.model_dump(mode="json"), key)
        if scores.get(one.point.label):
            groups.setdefault(fixed, []).append(ValueScores(value, scores[one.point.label]))
    panels = [Panel(fixed, places) for fixed, places in groups.items() if len(places) > 1]
    if all(_is_number(place.value) for panel in panels for place in panel.places):
        panels = [Panel(panel.fixed, sorted(panel.places, key=lambda place: float(place.value))) for panel in panels]
    return panels


def _setting(value: Any, path: str) -> Any:
    """What a file has at a dotted path; None where it has nothing there, as another member of a union."""
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
