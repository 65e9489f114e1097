"""What settings are, as far as it can change an outcome: what keys are made of, and what tells two of them apart."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from clpd_bench.settings.base import NotInKey, Settings

_REQUIRED = object()


@functools.cache
def _in_key(settings: type[Settings]) -> list[tuple[str, Any]]:
    """Fields that take part in keys, with their defaults."""
    return [
        (name, _REQUIRED if field.is_required() else field.get_default(call_default_factory=True))
        for name, field in settings.model_fields.items()
        if not any(isinstance(mark, NotInKey) for mark in field.metadata)
    ]


def fingerprint(value: Any) -> Any:
    """A settings object as plain JSON: fields that differ from their defaults, less those marked
    `NotInKey`. A new setting with a default so leaves every key as it was."""
    if isinstance(value, Settings):
        return {
            name: fingerprint(getattr(value, name))
            for name, default in _in_key(type(value))
            if default is _REQUIRED or getattr(value, name) != default
        }
    if isinstance(value, dict):
        return {str(k): fingerprint(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [fingerprint(v) for v in value]
    return value


def unkeyed(settings: Settings, path: str = "") -> dict[str, Any]:
    """{dotted key: plain value} of the settings that stand in no key, as far as they are given. Paths are left out:
    what lies there is in the key."""
    keyed = {name for name, _ in _in_key(type(settings))}
    out: dict[str, Any] = {}
    for name, value in settings.model_dump(mode="python").items():
        place, inner = f"{path}.{name}" if path else name, getattr(settings, name)
        if name not in keyed:
            out |= {} if value is None or _are_paths(value) else {place: value}
        elif isinstance(inner, Settings):
            out |= unkeyed(inner, place)
    return out


def _are_paths(value: Any) -> bool:
    return isinstance(value, Path) or (isinstance(value, tuple) and all(isinstance(one, Path) for one in value))
