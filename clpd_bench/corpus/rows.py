"""Rows out of files, and the fields of a row, each refused with its place where it will not do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.errors import UserError
from clpd_bench.outside.local_files import refuse_pointer

PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""How compressed files begin."""
SHOWN = 60
"""Characters of a value that an error shows."""


class Number(str):
    """A number of a JSON file as it stands there: `3.0`, `1e16`, `-0`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Row:
    """A row and where it stands: a line, or in an array or table its number, from 1."""

    value: Any
    file: Path
    line: int

    def field(self, path: str) -> Any:
        """A field; dots reach inside.

        Raises:
            UserError: there is none.
        """
        here = self.value
        for part in path.split("."):
            if not isinstance(here, dict):
                what = "this row" if here is self.value else f"what this row has on the way to {path!r}"
                raise self.refused(f"{what} is no JSON object", found=here)
            if part not in here:
                raise self.refused(
                    f"this row has no field {path!r}",
                    found=part,
                    allowed=here,
                    fix="Name the fields of your file in the corpus's source (question, answer, rationale, columns); "
                    "a data set's own source wants it as it was published",
                )
            here = here[part]
        return here

    def text(self, path: str) -> str:
        """The text of a field, without white space around it. Of a number, as it is written; a table's, which is
        not, in its shortest decimal digits, `3.0` as `3`."""
        value = self.field(path)
        if isinstance(value, float) and math.isfinite(value):
            value = plain(Decimal(repr(value)))
        if not isinstance(value, (str, int)) or isinstance(value, bool) or not str(value).strip():
            raise self.refused(f"field {path!r} wants text that is not empty, and holds {_named(value)}")
        text = str(value).strip()
        if has_half_pair(text):
            raise self.refused(f"field {path!r} holds half of a surrogate pair, which is no text")
        return text

    def number(self, path: str) -> float:
        value = self.field(path)
        is_number = isinstance(value, (int, float, Number)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(float(value)):
            raise self.refused(f"column {path!r} wants a number, and holds {_named(value)}")
        return float(value)

    def refused(
        self, message: str, *, found: object = None, allowed: Iterable[object] | None = None, fix: str | None = None
    ) -> UserError:
        return UserError(message, file=self.file, line=self.line, found=found, allowed=allowed, fix=fix)


def plain(number: Decimal) -> str:
    """In decimal digits, exactly: without exponent, and without zeros at the end that say nothing."""
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def has_half_pair(text: str) -> bool:
    """Whether there is half of a surrogate pair in it, which no file can hold."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _named(value: object) -> str:
    """What an error calls the value of a field."""
    shown = {"None": "null", "True": "true", "False": "false"}.get(repr(value), repr(value))
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."


def rows(files: Iterable[Path]) -> Iterator[Row]:
    """Those of all files: JSON objects, one a line or in one array, or those of a table (`.parquet`).

    Raises:
        UserError: no file, or none of these.
    """
    for file in files:
        _refuse_packed(file)
        read = _table if file.suffix == ".parquet" else _json
        yield from (Row(value, file, line) for value, line in read(file))


def _refuse_packed(file: Path) -> None:
    """
    Raises:
        UserError: the file is compressed, a pointer to another, or not there.
    """
    try:
        refuse_pointer(file)
        with file.open("rb") as opened:
            beginning = opened.read(max(map(len, PACKED)))
    except FileNotFoundError:
        raise UserError("there is no such file", file=file) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error}", file=file) from None
    for start, name in PACKED.items():
        if beginning.startswith(start):
            raise UserError(f"is compressed ({name})", file=file, fix="Decompress it, and name what comes out")


def _json(file: Path) -> Iterator[tuple[Any, int]]:
    try:
        text = file.read_text(encoding="utf-8-sig")  # a byte order mark is none of the text
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", file=file) from None
    if text.lstrip().startswith("["):
        try:
            yield from ((row, i) for i, row in enumerate(_parsed(text), start=1))
        except json.JSONDecodeError as error:
            raise _invalid(error, file, error.lineno) from None
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield _parsed(line), number
            except json.JSONDecodeError as error:
                raise _invalid(error, file, number) from None


def _parsed(text: str) -> Any:
    return json.loads(text, parse_int=Number, parse_float=Number)


def _invalid(error: json.JSONDecodeError, file: Path, line: int) -> UserError:
    before, behind = error.doc[: error.pos].rstrip(), error.doc[error.pos : error.pos + 1]
    reason = (
        f"there is a comma in front of this {behind}" if before.endswith(",") and behind in {"]", "}"} else error.msg
    )
    return UserError(f"not valid JSON: {reason}", file=file, line=line)


def _table(file: Path) -> Iterator[tuple[Any, int]]:
    try:
        table = pq.ParquetFile(file).read()
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(f"cannot be read: {str(error).splitlines()[0]}", file=file) from None
    yield from ((row, i) for i, row in enumerate(table.to_pylist(), start=1))
