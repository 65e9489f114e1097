"""Files of JSON objects, one a line or in one array."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clpd_bench.corpus.example import Example, example_ids, normalised, share_hash
from clpd_bench.errors import UserError
from clpd_bench.settings.corpus import Jsonl


def read(settings: Jsonl) -> dict[str, list[Example]]:
    """Examples by split; validation is carved out of the training file by a hash of the question.

    Raises:
        UserError: no file, no JSON, a row without its field, a test question in the training file.
    """
    training = [_example(row, settings, settings.train, line) for row, line in _rows(settings.train)]
    test = [_example(row, settings, settings.test, line) for row, line in _rows(settings.test)]
    _refuse_overlap(training, test)
    validation = [e for e in training if share_hash(e.question) < settings.validation]
    train = [e for e in training if share_hash(e.question) >= settings.validation]
    for split, examples in (("train", train), ("validation", validation), ("test", test)):
        if not examples:
            raise UserError(
                f"the {split} split is empty",
                file=settings.test if split == "test" else settings.train,
                key="source.validation" if split != "test" else "source.test",
                fix="Give a larger file, or another share for validation",
            )
    return {
        "train": _limited(train, settings.limit.train),
        "validation": validation,
        "test": _limited(test, settings.limit.test),
    }


def _limited(examples: list[Example], limit: int | None) -> list[Example]:
    """Those with the lowest ids: a sample that does not depend on the order of the file."""
    if limit is None or limit >= len(examples):
        return examples
    chosen = sorted(zip(example_ids(examples), range(len(examples)), strict=True))[:limit]
    return [examples[i] for _, i in chosen]


def _rows(file: Path) -> Iterator[tuple[Any, int]]:
    """(object, line), or for an array (object, its number)."""
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


def _field(row: Any, path: str, file: Path, line: int) -> Any:
    here = row
    for part in path.split("."):
        if not isinstance(here, dict):
            what = "this row" if here is row else f"what this row has on the way to {path!r}"
            raise UserError(f"{what} is no JSON object", file=file, line=line, found=here)
        if part not in here:
            raise UserError(
                f"this row has no field {path!r}",
                file=file,
                line=line,
                found=part,
                allowed=here,
                fix="Name the fields of your file in the corpus's source (question, answer, rationale, columns)",
            )
        here = here[part]
    return here


def _text(row: Any, path: str, file: Path, line: int) -> str:
    value = _field(row, path, file, line)
    if not isinstance(value, (str, int, float)) or isinstance(value, bool) or not str(value).strip():
        raise UserError(f"field {path!r} wants text that is not empty", file=file, line=line, found=value)
    text = str(value).strip()
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError(f"field {path!r} holds half of a surrogate pair, which is no text", file=file, line=line)
    return text


def _number(row: Any, path: str, file: Path, line: int) -> float:
    value = _field(row, path, file, line)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"column {path!r} wants a number", file=file, line=line, found=value)
    return float(value)


def _example(row: Any, settings: Jsonl, file: Path, line: int) -> Example:
    answer = _text(row, settings.answer, file, line)
    rationale = _text(row, settings.rationale, file, line) if settings.rationale else ""
    if settings.split_on:
        before, mark, after = answer.rpartition(settings.split_on)
        if not mark or not after.strip():
            raise UserError(
                f"field {settings.answer!r} holds no result behind {settings.split_on!r}",
                file=file,
                line=line,
                found=answer[-60:],
            )
        rationale, answer = "\n".join(part for part in (rationale, before.strip()) if part), after.strip()
    columns = {name: _number(row, name, file, line) for name in settings.columns}
    return Example(_text(row, settings.question, file, line), rationale, answer, columns, str(file), line)


def _refuse_overlap(training: list[Example], test: list[Example]) -> None:
    places = {normalised(e.question): e for e in test}
    shared = [e for e in training if normalised(e.question) in places]
    if shared:
        first = shared[0]
        other = places[normalised(first.question)]
        raise UserError(
            f"{len(shared)} of its questions stand{'s' if len(shared) == 1 else ''} in the test file too, first "
            f"{first.question[:60]!r} ({other.file}:{other.line})",
            file=first.file,
            line=first.line,
            fix="Take them out of one of the two files",
        )
