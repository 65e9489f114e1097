"""A user's own function in the place of a named thing: `{name: mine.py:my_kl, gap: 2}`."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from clpd_bench.settings.base import LocalPath, Settings, expand_path

Overlap = Literal["refuse", "drop_train", "drop_test"]
"""The source is refused, or the part gives way that is nearer to training, or the one that is nearer to the test; what
was left out is counted in the corpus and on the report's page."""


WRITTEN = "FILE.py:FUNCTION"
REFERENCE = re.compile(r"(\S+\.py):([^\W\d]\w*)")
DERIVED = ("file", "function", "sha256", "arguments")


class Plugin(Settings):
    """Written as `FILE.py:FUNCTION`, its arguments beside the name; the path starts at the ablation file.

    In the key stand the file's bytes, the function and its arguments, and not where the file lies.
    """

    kind: ClassVar[str]
    given: ClassVar[tuple[str, ...]]
    """What a function of the kind is given, by position."""
    passed_on: ClassVar[tuple[str, ...]] = ()
    """What it is given, too, if it has an argument of that name."""

    name: Literal["plugin"]
    file: LocalPath
    function: str
    sha256: str
    """Of the file as it was planned; empty where it could not be read."""
    arguments: dict[str, Any] = Field(default_factory=dict)


class CorpusPlugin(Plugin):
    kind = "corpus"
    given = ()

    rationale: bool = True
    """Whether its examples have one."""
    columns: tuple[str, ...] = ()
    """The number columns that each of its examples carries."""
    overlap: Overlap = "refuse"
    """Where a question stands in two of its splits."""

    @property
    def has_rationale(self) -> bool:
        return self.rationale

    @property
    def local_files(self) -> dict[str, Path]:
        return {}


def is_reference(value: object) -> bool:
    return isinstance(value, str) and bool(REFERENCE.fullmatch(value))


def as_written(dump: Any, *, by: Literal["file", "sha256"] = "file") -> Any:
    """A settings object's dump in which plug-ins stand as in an ablation file, the path written out.

    Args:
        by: `sha256` puts that of the file in the path's place: what the plug-in is, wherever it lies.
    """
    if not isinstance(dump, dict):
        return dump
    if dump.get("name") != "plugin":
        return {key: as_written(value, by=by) for key, value in dump.items()}
    own = {key: value for key, value in dump.items() if key not in DERIVED}
    return {**own, "name": f"{dump[by]}:{dump['function']}", **dump["arguments"]}


def pluggable(member: type[Plugin]) -> BeforeValidator:
    """Lets `{name: FILE.py:FUNCTION, ...}` stand where a union has `member`.

    What is no setting of `member` itself is an argument of the function. An arm's `differs:` puts such
    a key, or another name, into settings that went through here before.
    """

    def expand(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or not (value.get("name") == "plugin" or is_reference(value.get("name"))):
            return value
        before = {key: value[key] for key in DERIVED if key in value}
        if len(before) < len(DERIVED) and (before or value["name"] == "plugin"):
            what = f"an argument of a plug-in may not be called {next(iter(before))}" if before else "names no function"
            raise ValueError(f"{what}; write name: {WRITTEN} and the function's arguments beside it")
        own = {key: value[key] for key in member.model_fields if key in value and key not in before}
        further = {str(key): given for key, given in value.items() if key not in member.model_fields}
        arguments = {**before.get("arguments", {}), **further}
        if value["name"] != "plugin":
            folder = (info.context or {}).get("folder", Path())
            before = _located(value["name"], folder)
        return {**own, **before, "name": "plugin", "arguments": arguments}

    return BeforeValidator(expand)


def _located(reference: str, folder: Path) -> dict[str, Any]:
    path, _, function = reference.rpartition(":")
    file = expand_path(path, folder)
    try:
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        sha256 = ""  # told by the checks, which know the names that are there
    return {"file": file, "function": function, "sha256": sha256}
