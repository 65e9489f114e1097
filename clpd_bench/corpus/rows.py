"""Rows out of files, and the fields of a row, each refused with its place where it will not do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.errors import UserError


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
        """The text of a field (of a number, as it is written), without white space around it."""
        value = self.field(path)
        if not isinstance(value, (str, int, float)) or isinstance(value, bool) or not str(value).strip():
            raise self.refused(f"field {path!r} wants text that is not empty", found=value)
        text = str(value).strip()
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise self.refused(f"field {path!r} holds half of a surrogate pair, which is no text")
        return text

    def number(self, path: str) -> float:
        value = self.field(path)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.refused(f"column {path!r} wants a number", found=value)
        return float(value)

    def refused(
        self, message: str, *, found: object = None, allowed: Iterable[object] | None = None, fix: str | None = None
    ) -> UserError:
        return UserError(message, file=self.file, line=self.line, found=found, allowed=allowed, fix=fix)


def rows(files: Iterable[Path]) -> Iterator[Row]:
    """Those of all files: JSON objects, one a line or in one array, or those of a table (`.parquet`).

    Raises:
        UserError: no file, or none of these.
    """
    for file in files:
        read = _table if file.suffix == ".parquet" else _json
        yield from (Row(value, file, line) for value, line in read(file))


def _json(file: Path) -> Iterator[tuple[Any, int]]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError("there is no such file", file=file) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", file=file) from None
    if text.lstrip().startswith("["):
        try:
            yield from ((row, i) for i, row in enumerate(json.loads(text), start=1))
        except json.JSONDecodeError as error:
            raise UserError(f"not valid JSON: {error.msg}", file=file, line=error.lineno) from None
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line), number
            except json.JSONDecodeError as error:
                raise UserError(f"not valid JSON: {error.msg}", file=file, line=number) from None


def _table(file: Path) -> Iterator[tuple[Any, int]]:
    try:
        table = pq.ParquetFile(file).read()
    except FileNotFoundError:
        raise UserError("there is no such file", file=file) from None
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(f"cannot be read: {str(error).splitlines()[0]}", file=file) from None
    yield from ((row, i) for i, row in enumerate(table.to_pylist(), start=1))
