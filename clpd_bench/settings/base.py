"""What all settings share: closed, frozen, told apart by name; and the fingerprints that keys are made of."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo


class Settings(BaseModel):
    """A frozen settings object that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


S = TypeVar("S", bound=Settings)


def inside(value: object, kind: type[S], key: str = "") -> Iterator[tuple[str, S]]:
    """The settings of a kind that stand in others, each with its dotted key."""
    if isinstance(value, kind):
        yield key, value
    elif isinstance(value, Settings | dict):
        for name, inner in (value if isinstance(value, dict) else vars(value)).items():
            yield from inside(inner, kind, f"{key}.{name}" if key else name)


class NotInKey:
    """Marks a field that cannot change a job's output, and so takes no part in its key."""


def shorthand(**argument_of: str) -> BeforeValidator:
    """Lets a named setting be written as its name alone, or as `name:argument`.

    `column:steps` stands for `{name: column, column: steps}` under `shorthand(column="column")`.
    """

    def expand(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        name, colon, argument = value.partition(":")
        if colon and name in argument_of:
            return {"name": name, argument_of[name]: argument}
        return {"name": value}

    return BeforeValidator(expand)


PACKAGE = "package:"
"""In front of a path that lies in an installed Python package: `package:<package>/<path inside>`."""


def expand_path(value: str, folder: Path) -> Path:
    """`${VAR}` and `~` expanded; a relative path starts at `folder`, that of a `package:` in the package.

    Raises:
        ValueError: a variable, a home folder or a package is not known.
    """
    if value.startswith(PACKAGE):
        return _in_package(value.removeprefix(PACKAGE))
    try:
        expanded = str(Path(os.path.expandvars(value)).expanduser())
    except RuntimeError:
        raise ValueError(f"the home folder at the beginning of {value!r} is not known; write the path out") from None
    if "$" in expanded:
        variable = expanded[expanded.index("$") :].strip("${").split("}")[0].split("/")[0]
        raise ValueError(f"the environment variable {variable} is not set; export it, or write the path out")
    return folder / expanded


def _in_package(value: str) -> Path:
    """Found without importing it: a package that holds data may want more than is installed to be imported."""
    package, _, inside = value.partition("/")
    if not package.isidentifier() or not inside:
        raise ValueError(f"{PACKAGE}{value} names no file of a package; write package:<package>/<path inside>")
    spec = importlib.util.find_spec(package)
    places = [Path(place) for place in (spec.submodule_search_locations if spec else None) or []]
    if not places:
        raise ValueError(f"the Python package {package} is not installed here; install it with pip")
    # The parts of a namespace package may lie apart.
    return next((place / inside for place in places if (place / inside).exists()), places[0] / inside)


def _local_path(value: Any, info: ValidationInfo) -> Any:
    """A relative path is relative to the ablation file."""
    return expand_path(value, (info.context or {}).get("folder", Path())) if isinstance(value, str) else value


LocalPath = Annotated[Path, BeforeValidator(_local_path), NotInKey()]
"""A path on this machine. What it holds goes into keys, where it lies does not."""


def distinct(what: str) -> Callable[[Any], Any]:
    """A validator for lists in which nothing may stand twice."""

    def check(values: Any) -> Any:
        if isinstance(values, (list, tuple)):
            for i, value in enumerate(values):
                if value in values[:i]:
                    raise ValueError(f"{what} {value!r} stands in the list twice; each may stand there once")
        return values

    return check


def files_under(folder: Path) -> list[str]:
    """The files in a folder and its folders by their paths in it, sorted; hidden ones and Python's caches left out."""
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return sorted(
        path.as_posix() for path in found if not any(part.startswith((".", "__pycache__")) for part in path.parts)
    )


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
