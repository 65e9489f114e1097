"""One way from a settings file to its typed form; whatever is wrong is placed at file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from clpd_bench.errors import UserError
from clpd_bench.settings.file.explain import first_mistake
from clpd_bench.settings.file.yaml_reader import KeyPath, parse

Model = TypeVar("Model", bound=BaseModel)


def read_text(file: Path, what: str) -> str:
    """The text of `file`, which errors call `what`.

    Raises:
        UserError: it cannot be read, or is no text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{what} cannot be read: it is no text in UTF-8", file=file) from None
    except OSError as error:
        raise UserError(f"{what} cannot be read: {error.strerror}", file=file) from None


def load_settings(
    file: Path, model: type[Model], what: str, fix: str | None = None
) -> tuple[Model, dict[KeyPath, int]]:
    """The settings of a YAML file, and the line of each key path.

    Args:
        file: relative paths in it are resolved against its folder.
        model: the form it must have.
        what: what errors call the file.
        fix: what to do about any mistake, where there is one thing to do.

    Raises:
        UserError: the file cannot be read, or something in it is wrong; with its line and key.
    """
    text = read_text(file, what)
    try:
        data, lines = parse(text, file)
    except UserError as error:
        raise error.at(fix=fix) from None
    if not isinstance(data, dict):
        raise UserError(f"{what} is a mapping", file=file, allowed=model.model_fields, fix=fix)
    return validated(data, lines, file, model, fix), lines


def validated(
    data: dict[str, Any], lines: dict[KeyPath, int], file: Path, model: type[Model], fix: str | None = None
) -> Model:
    """`data`, which was read from `file`, as a `model`.

    Raises:
        UserError: the first finding, at the nearest line that is known.
    """

    def line(path: KeyPath) -> int | None:
        return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)

    try:
        return model.model_validate(data, context={"folder": file.parent})
    except UserError as error:
        raise error.at(file=file, line=line(tuple((error.key or "").split("."))), fix=fix) from None
    except ValidationError as error:
        finding = first_mistake(error, data, model)
        raise finding.error().at(file=file, line=line(finding.path), fix=fix) from None
