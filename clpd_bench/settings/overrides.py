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
