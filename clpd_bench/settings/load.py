"""From a file to an `Ablation`, every mistake told with its file, line and key."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from clpd_bench.errors import UserError
from clpd_bench.settings import overrides
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.checks import check
from clpd_bench.settings.yaml_reader import KeyPath, dotted, parse


def load_ablation(file: Path, sets: list[str] | None = None) -> Ablation:
    """Reads, overrides, validates and cross-checks an ablation file.

    Raises:
        UserError: whatever can be known to be wrong without looking at data.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        siblings = sorted(file.parent.glob("*.yaml")) if file.parent.is_dir() else []
        raise UserError(
            "there is no such ablation file", file=file, found=str(file), allowed=siblings or None
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", file=file) from None
    data, lines = parse(text, file)
    if not isinstance(data, dict):
        raise UserError("an ablation file is a mapping of settings (question, corpora, models, ...)", file=file)
    overrides.apply(data, sets or [])
    _point_at_undeclared_differences(data, lines, file)
    try:
        ablation = Ablation.model_validate(data, context={"folder": file.parent})
    except ValidationError as error:
        raise _told(error, data, lines, file) from None
    try:
        check(ablation)
    except UserError as error:
        path: KeyPath = tuple(int(p) if p.isdigit() else p for p in (error.key or "").split("."))
        raise UserError(
            error.message,
            file=file,
            line=_line(path, lines),
            key=error.key,
            found=error.found,
            allowed=error.allowed,
            fix=error.fix,
        ) from None
    return ablation


def _point_at_undeclared_differences(data: dict[str, Any], lines: dict[KeyPath, int], file: Path) -> None:
    """A setting written straight under an arm would be a difference that nobody declared."""
    arms = data.get("arms")
    for name, arm in arms.items() if isinstance(arms, dict) else ():
        for key in arm if isinstance(arm, dict) else ():
            if str(key).split(".")[0] in ("student", "training", "loss", "curriculum", "targets"):
                raise UserError(
                    f"arm {name!r} sets {key}, a difference that it does not declare",
                    file=file,
                    line=_line(("arms", name, key), lines),
                    key=f"arms.{name}.{key}",
                    fix="Arms of a comparison differ in order and teachers alone; anything else stands under "
                    "the arm's `differs:`, as in differs: {student.training.learning_rate: 1e-3}",
                )


def _line(path: KeyPath, lines: dict[KeyPath, int]) -> int | None:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path) if path else None


def _told(error: ValidationError, data: Any, lines: dict[KeyPath, int], file: Path) -> UserError:
    """The first of pydantic's findings in our words."""
    found = error.errors()
    # An unknown key is most often a misspelt one, and then the missing key it stands for is no news.
    first = min(found, key=lambda e: e["type"] != "extra_forbidden")
    path = _file_path(first["loc"], data)
    kind, context = first["type"], first.get("ctx", {})
    value: object = first["input"]
    allowed: list[str] | None = None
    fix = None
    if kind == "extra_forbidden":
        message, value = "unknown key", path[-1]
        allowed = _allowed_keys(Ablation, first["loc"][:-1])
    elif kind == "missing":
        message, value = "is missing", None
    elif kind == "union_tag_invalid":
        message, value = "unknown name", context.get("tag")
        allowed = [tag.strip(" '") for tag in str(context.get("expected_tags", "")).split(",")]
    elif kind == "union_tag_not_found":
        message = "wants a name, or a mapping with the key name"
        allowed = None
    elif kind == "literal_error":
        message = "unknown value"
        allowed = [part.strip(" '") for part in str(context["expected"]).replace(" or ", ", ").split(",")]
    elif kind == "value_error":
        message, value = str(context["error"]), None
    elif kind == "too_short" and path in (("arms",), ("seeds",)):
        message, value = "is empty, so the grid has no cells", None
        fix = "Name at least one"
    else:
        message = first["msg"][:1].lower() + first["msg"][1:]
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            value = None if isinstance(value, (dict, list)) else value
    more = len(found) - 1
    if more and kind != "extra_forbidden":
        fix = f"{fix or ''}{'. ' if fix else ''}({more} more like it behind this one)"
    return UserError(
        message, file=file, line=_line(path, lines), key=dotted(path), found=value, allowed=allowed, fix=fix
    )


def _file_path(loc: tuple[str | int, ...], data: Any) -> KeyPath:
    """A pydantic location without the union tags that it puts between keys."""
    path: list[str | int] = []
    here = data
    for i, part in enumerate(loc):
        places = dict(enumerate(here)) if isinstance(here, (list, tuple)) else here
        if isinstance(places, dict) and part in places:
            here = places[part]
        elif i < len(loc) - 1 or isinstance(here, str):
            continue
        path.append(part)
    return tuple(path)


def _allowed_keys(model: Any, loc: tuple[str | int, ...]) -> list[str] | None:
    """The keys that the settings class at a pydantic location knows."""
    for part in loc:
        model = _step(model, part)
        if model is None:
            return None
    model = _bare(model)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return list(model.model_fields)
    return None


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        if len(members) == 1:
            return _bare(members[0])
    return annotation


def _step(model: Any, part: str | int) -> Any:
    model = _bare(model)
    if get_origin(model) in (Union, types.UnionType):
        for member in map(_bare, get_args(model)):
            if issubclass(member, BaseModel) and part in get_args(member.model_fields["name"].annotation):
                return member
        return None
    if get_origin(model) is dict:
        return get_args(model)[1]
    if get_origin(model) is tuple:
        return get_args(model)[0]
    if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
        return model.model_fields[str(part)].annotation
    return None
