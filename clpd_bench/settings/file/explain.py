"""What pydantic finds wrong with a settings file, in our words."""

from __future__ import annotations

import re
import types
from dataclasses import dataclass, replace
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from clpd_bench.errors import UserError
from clpd_bench.settings.file.yaml_reader import KeyPath, dotted
from clpd_bench.settings.plugin import WRITTEN, is_reference

WANTED = {
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a name, or a mapping with the key name",
    "union_tag_not_found": "a name, or a mapping with the key name",
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
}


@dataclass(frozen=True)
class Mistake:
    """Attributes:
    path: the keys that lead to it in the file.
    missing: whether it is a key that is not there.
    """

    path: KeyPath
    message: str
    found: object = None
    allowed: list[str] | None = None
    fix: str | None = None
    missing: bool = False

    def error(self) -> UserError:
        """The mistake as an error that knows its key, and no file yet."""
        return UserError(
            self.message, key=dotted(self.path) or None, found=self.found, allowed=self.allowed, fix=self.fix
        )


def first_mistake(error: ValidationError, data: Any, model: type[BaseModel]) -> Mistake:
    """The most telling mistake in `data`, which was to be a `model`."""
    found = error.errors()
    # An unknown key is most often a misspelt one, and then the missing key it stands for is no news.
    first = min(found, key=lambda e: e["type"] != "extra_forbidden")
    mistake = _mistake(first, _file_path(first["loc"], data), model)
    more = len(found) - 1
    if not more or first["type"] == "extra_forbidden":
        return mistake
    rest = f"{more} more mistake{'s' if more > 1 else ''} behind this one"
    return replace(mistake, fix=f"{mistake.fix}. ({rest})" if mistake.fix else f"({rest})")


def _mistake(e: Any, path: KeyPath, model: type[BaseModel]) -> Mistake:
    kind, value, context, last = e["type"], e["input"], e.get("ctx", {}), e["loc"][-1]
    if kind == "extra_forbidden":
        return Mistake(path, "unknown key", path[-1], _allowed_keys(model, e["loc"][:-1]))
    if kind == "missing":
        return _missing(path, value, last)
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        allowed = [WRITTEN if tag == "plugin" else tag for tag in tags]
        return Mistake(path, f"unknown name {context['tag']!r}", context["tag"], allowed)
    if kind == "literal_error":
        allowed = [part.strip(" '") for part in str(context["expected"]).replace(" or ", ", ").split(",")]
        return Mistake(path, f"unknown value {value!r}", value, allowed)
    if kind == "value_error":
        return Mistake(path, str(context["error"]))
    if kind == "too_short":
        grid = ", so the grid has no cells" if path in (("arms",), ("seeds",)) else ""
        return Mistake(path, f"is empty{grid}", fix="Name at least one")
    if last == "[key]":
        return Mistake(path, f"a name is text, and {value!r} is none", fix="Put it in quotes")
    if kind in WANTED:
        wanted = f"wants {WANTED[kind]}"
        if value is None:
            return Mistake(path, f"has no value, and {wanted}")
        fix = "Put it in quotes" if kind == "string_type" and isinstance(value, (int, float)) else None
        return Mistake(path, f"{wanted}, and {_short(value)} is none", fix=fix)
    return Mistake(path, f"{re.sub('^Input should be', 'must be', e['msg'])}, and is {_short(value)}")


def _missing(path: KeyPath, value: object, last: str | int) -> Mistake:
    if isinstance(last, int):
        return Mistake(path[:-1], f"wants {last + 1} values or more, and {_short(value)} are fewer", missing=True)
    if isinstance(value, dict) and path[-1:] != (last,):  # a name written short, without what belongs to it
        name = value.get("name")
        return Mistake(path, f"{name!r} wants its {last} too", fix=f"Write {name}:<{last}>", missing=True)
    return Mistake(path, "is missing", missing=True)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _file_path(loc: tuple[str | int, ...], data: Any) -> KeyPath:
    """A pydantic location without the names of union members that it puts between keys.

    It ends where the file does: a name written short has no keys inside.
    """
    path: list[str | int] = []
    here, inside_member = data, False
    for part in loc:
        if part == "[key]":
            break
        if isinstance(here, dict) and not inside_member and _is_member(here.get("name"), part):
            inside_member = True
            continue
        if isinstance(here, str):
            break
        path.append(part)
        inside_member = False
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, (list, tuple)) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            here = None
    return tuple(path)


def _is_member(name: object, part: str | int) -> bool:
    return name == part or (part == "plugin" and is_reference(name))


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
