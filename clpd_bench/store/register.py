"""The register: declarations and looks, which take their numbers from one counter.

`register/<n>/record.json` is an entry as attempts are (see `ledger`): prepared under another name, then renamed to
the number after the highest. So of a declaration and a look each host knows which came first, and no clock is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clpd_bench.errors import UserError
from clpd_bench.store import durable, ledger
from clpd_bench.store.clock import now

Kind = Literal["declaration", "look"]


@dataclass(frozen=True)
class Record:
    """Attributes:
    time: by the clock of whoever made it, for people to read.
    done: keys of the evaluations of a declaration that were there when it was made.
    """

    number: int
    kind: Kind
    content: dict[str, Any]
    time: str
    done: frozenset[str]


def add(folder: Path, kind: Kind, content: dict[str, Any], done: Iterable[str] = ()) -> Record:
    """The record with this content: made now, or as it was made first.

    Raises:
        TypeError, ValueError: the content is not plain JSON.
        UserError: a record is damaged.
    """
    plain = json.loads(json.dumps(content, allow_nan=False))
    written = {"kind": kind, "content": plain, "time": now(), "done": sorted(done)}
    known: list[Record] = []
    while True:
        entries = ledger.entries(folder)
        seen = known[-1].number if known else 0
        known += [_record(entry) for entry in reversed(entries) if entry.number > seen]
        for record in known:
            if (record.kind, record.content) == (kind, plain):
                return record
        if entry := ledger.add_record(folder, entries[0] if entries else None, written):
            return _record(entry)


def records(folder: Path) -> list[Record]:
    """All of them, by their numbers.

    Raises:
        UserError: one is damaged.
    """
    return [_record(entry) for entry in reversed(ledger.entries(folder))]


def _record(entry: ledger.Entry) -> Record:
    path = entry.folder / ledger.RECORD
    read = durable.read_json(path)
    if read is None or not {"kind", "content", "time", "done"} <= set(read):
        raise UserError(
            "is damaged, so it is lost what was declared or seen",
            file=path,
            fix=f"Bring it back from a copy; without one, remove {entry.folder}: it then counts as never made",
        )
    return Record(entry.number, read["kind"], read["content"], read["time"], frozenset(read["done"]))
