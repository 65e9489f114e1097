"""`--set key.path=value`: a value of the file, replaced for this run."""

from __future__ import annotations

from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.yaml_reader import parse


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
                raise UserError(f"{source}: {part!r} is no place in a list of {len(here)}", key=path)
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
            raise UserError(f"{source}: {before} is {here!r}, which has no keys", key=path)


def apply(data: Any, sets: list[str]) -> None:
    """Applies `key.path=value` strings in turn; values are read as YAML."""
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise UserError(
                f"--set {text!r} is not of the form key.path=value", fix="For example --set student.training.epochs=2"
            )
        put(data, path.strip(), parse(value, f"--set {path}")[0], source="--set")
