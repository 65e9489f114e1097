"""Keys: the identity of a job is a hash of all that can change its output, and of nothing else."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

from clpd_bench.settings.base import NotInKey, Settings
from clpd_bench.settings.specs import Kind, Spec

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


def canonical(value: Any) -> str:
    """JSON with sorted keys and no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def job_key(kind: Kind, spec: Spec, parents: dict[str, str], code: str, libraries: dict[str, str]) -> str:
    """24 hex digits of sha256 over kind, settings, parents' keys by role, and code version.

    Args:
        libraries: versions of libraries that this kind's outcome is defined by (lm-eval for evaluations).
    """
    identity = {
        "kind": kind,
        "settings": fingerprint(spec),
        "parents": parents,
        "code": code,
        **({"libraries": libraries} if libraries else {}),
    }
    return hashlib.sha256(canonical(identity).encode()).hexdigest()[:24]
