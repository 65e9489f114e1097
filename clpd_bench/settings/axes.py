"""The axes of a grid: which keys may vary, what they are called by, what a constraint excludes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.ablation import Ablation, Constraint

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
