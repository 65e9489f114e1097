"""Reading an ablation file, with the files that it extends underneath."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.base import PACKAGE
from clpd_bench.settings.file.merge import Place, PlacedSettings, on_top, texts
from clpd_bench.settings.file.yaml_reader import parse
from clpd_bench.settings.plugin import is_reference

LOCAL_PATHS = ("train", "test", "file", "folder", "parts", "include", "tuned")
"""Keys under which text is a path on this machine."""


def read(file: Path) -> PlacedSettings:
    """The file's settings on top of those of the file that it extends, and so on.

    Raises:
        UserError: a file that is not there or cannot be read, or one that extends itself in the end.
    """
    written = _read_one(file, None)
    seen, here, levels = [file.resolve()], file, [(file, written)]
    while "extends" in written.data:
        place = written.place(("extends",))
        other = written.data.pop("extends")
        line = place.line if place else None
        if not isinstance(other, str):
            raise UserError(
                "wants the name of a file", file=here, line=line, key="extends", fix="As in extends: base.yaml"
            )
        written.forget(("extends",))
        asking, here = here, here.parent / other
        if here.resolve() in seen:
            raise UserError(
                f"{here} extends this file in the end, and this file it",
                file=asking,
                line=line,
                key="extends",
                fix="Let one of them stand on its own",
            )
        seen.append(here.resolve())
        written = _read_one(here, UserError("", file=asking, line=line, key="extends"))
        levels.append((here, written))
    whole = PlacedSettings({}, {})
    for place_of, one in reversed(levels):
        if place_of is not file:
            one.data = _anchor(one.data, whole.data, place_of.parent)
        whole = on_top(whole, one)
    return whole


def _read_one(file: Path, asked: UserError | None) -> PlacedSettings:
    """Args:
    asked: where the file is asked for, if another file does.
    """
    at: Any = {"file": asked.file, "line": asked.line, "key": asked.key} if asked else {"file": file}
    what = "extended" if asked else "ablation"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        siblings = sorted(file.parent.glob("*.yaml")) if file.parent.is_dir() else []
        raise UserError(f"there is no such {what} file", **at, found=str(file), allowed=siblings or None) from None
    except OSError as error:
        fix = "Give an ablation file (YAML)"
        raise UserError(f"cannot be read: {error.strerror}", **at, fix=fix) from None
    except UnicodeDecodeError as error:
        raise UserError(f"is no text in UTF-8 (byte {error.start} cannot be read as such)", file=file) from None
    data, lines = parse(text, file)
    if not isinstance(data, dict):
        raise UserError("an ablation file is a mapping of settings (question, corpora, models, ...)", file=file)
    return PlacedSettings(data, {texts(path): Place(file, line) for path, line in lines.items() if path})


def _anchor(value: Any, below: Any, folder: Path) -> Any:
    """The same with relative paths on this machine made absolute: those of an extended file start at its folder.

    Args:
        below: what the files further down have in this place.
    """
    if isinstance(value, list):
        return [_anchor(inner, None, folder) for inner in value]
    if not isinstance(value, dict):
        return _at(folder, value) if is_reference(value) else value
    below = below if isinstance(below, dict) else {}
    in_hub = value.get("name", below.get("name")) == "hub"  # its paths are those in a repository
    return {
        key: _path(inner, below.get(key), folder)
        if key in LOCAL_PATHS and not in_hub
        else _anchor(inner, below.get(key), folder)
        for key, inner in value.items()
    }


def _path(value: Any, below: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_path(inner, None, folder) for inner in value]
    return _at(folder, value) if isinstance(value, str) else _anchor(value, below, folder)


def _at(folder: Path, path: str) -> str:
    return path if path.startswith(("~", "$", PACKAGE)) else str(folder.resolve() / path)
