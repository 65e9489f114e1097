"""Numbered entries, `attempts/<key>/<n>` and `register/<n>`, to which anyone may add the next one.

An entry of a key is an attempt, a blocked record or a retry record, and is never changed by anyone but its
owner, nor removed by anyone; the highest number decides. One of the register is a record (see `register`).
Since a rename onto a directory that isn't empty is refused, of all who saw n - 1 as the highest only one adds n.
"""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from clpd_bench.store import durable
from clpd_bench.store.clock import now
from clpd_bench.store.owner import Owner

Ending = Literal["published", "discarded", "released", "evicted", "unfinished", "no_space"]

OUT = "out"
CHECKPOINTS = "checkpoints"
LOG = "log.txt"
HEARTBEAT = "heartbeat.json"
PREPARING = "claiming-"
RECORD = "record.json"

_OWNER = "owner.json"
_FAILURE = "failure.json"
_ENDED = "ended.json"
_CHECKPOINTED = "checkpointed.json"
_BLOCKED = "blocked.json"
_RETRY = "retry.json"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One numbered directory of a key."""

    number: int
    folder: Path

    @property
    def owner(self) -> Owner | None:
        """Who made it."""
        return Owner.from_json(durable.read_json(self.folder / _OWNER))

    @property
    def failure(self) -> dict[str, Any] | None:
        """The failure record of a failed attempt."""
        return durable.read_json(self.folder / _FAILURE)

    @property
    def ending(self) -> Ending | None:
        """How an attempt ended, None while it runs and after a kill."""
        record = durable.read_json(self.folder / _ENDED)
        return record["how"] if record else None

    @property
    def missing(self) -> list[str] | None:
        """The inputs that a blocked record names; None for any other entry."""
        record = durable.read_json(self.folder / _BLOCKED)
        return record["missing"] if record else None

    @property
    def is_retry(self) -> bool:
        """Whether it is a retry record."""
        return durable.read_json(self.folder / _RETRY) is not None

    @property
    def is_attempt(self) -> bool:
        """Whether it is an attempt: neither a blocked nor a retry record."""
        return self.missing is None and not self.is_retry

    @property
    def checkpointed(self) -> bool:
        """Whether the attempt added a checkpoint."""
        return durable.read_json(self.folder / _CHECKPOINTED) is not None

    @property
    def heartbeat(self) -> dict[str, Any]:
        """The `beat` counter and the `progress` values, empty if they can't be read."""
        return durable.read_json(self.folder / HEARTBEAT) or {}

    @property
    def loss(self) -> dict[str, Any] | None:
        """What is known of the end of an attempt that a full disk ended, in a failure record's form."""
        return (durable.read_json(self.folder / _ENDED) or {}).get("failure")

    def record_failure(self, failure: dict[str, Any]) -> None:
        """Leave the failure record. For the owner only, as all that follow."""
        durable.write_json(self.folder / _FAILURE, failure)

    def record_ending(self, how: Ending, failure: dict[str, Any] | None = None) -> None:
        """Leave word that the attempt is over, and of what ended it."""
        durable.write_json(
            self.folder / _ENDED, {"how": how, "time": now(), **({"failure": failure} if failure else {})}
        )

    def record_checkpointed(self) -> None:
        """Leave word that the attempt added a checkpoint."""
        durable.write_json(self.folder / _CHECKPOINTED, {"time": now()})


def entries(folder: Path) -> list[Entry]:
    """The entries of the key that has this folder, newest first."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    numbers = sorted((int(name) for name in names if name.isdecimal()), reverse=True)
    return [Entry(number, folder / str(number)) for number in numbers]


def add_attempt(folder: Path, after: Entry | None, owner: Owner) -> Entry | None:
    """Claim the number that follows `after`; None if somebody was faster."""

    def fill(prepared: Path) -> None:
        durable.make_folder(prepared / OUT)
        durable.make_folder(prepared / CHECKPOINTS)
        durable.write_json(prepared / HEARTBEAT, {"beat": 0, "progress": {}})

    return _add(_prepare(folder, owner, fill), folder, after, owner)


def add_blocked(folder: Path, after: Entry | None, missing: list[str]) -> Entry | None:
    """Record as the entry that follows `after` that inputs are missing; None as above."""
    owner = Owner.this_process()
    prepared = _prepare(folder, owner, lambda place: durable.write_json(place / _BLOCKED, {"missing": missing}))
    return _add(prepared, folder, after, owner)


def add_retry(folder: Path, after: Entry | None) -> Entry | None:
    """Record as the entry that follows `after` that what is before it is to be tried again."""
    owner = Owner.this_process()
    prepared = _prepare(folder, owner, lambda place: durable.write_json(place / _RETRY, {"time": owner.since}))
    return _add(prepared, folder, after, owner)


def add_record(folder: Path, after: Entry | None, record: dict[str, Any]) -> Entry | None:
    """Put a record as the entry that follows `after`; None as above."""
    owner = Owner.this_process()
    prepared = _prepare(folder, owner, lambda place: durable.write_json(place / RECORD, record))
    return _add(prepared, folder, after, owner)


def _prepare(folder: Path, owner: Owner, fill: Callable[[Path], None]) -> Path:
    """An entry under a name that says nothing yet; nothing is left of it where it could not be written."""
    prepared = folder / f"{PREPARING}{owner.token}"
    try:
        durable.make_folder(prepared)
        durable.write_json(prepared / _OWNER, owner.to_json())
        fill(prepared)
    except OSError:
        durable.remove_folder(prepared)
        raise
    return prepared


def _add(prepared: Path, folder: Path, after: Entry | None, owner: Owner) -> Entry | None:
    number = after.number + 1 if after else 1
    entry = Entry(number, folder / str(number))
    try:
        durable.rename(prepared, entry.folder)
    except OSError as error:
        # A refusal may be the second answer to a request whose first answer got lost.
        if entry.owner != owner:
            durable.remove_folder(prepared)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return None
    durable.fsync_folder(folder)
    return entry
