"""What is known of an attempt from outside, and what the entries of a key say of its state."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

from clpd_bench.store import ledger
from clpd_bench.store.ledger import Entry
from clpd_bench.store.owner import Owner


@dataclasses.dataclass(frozen=True)
class AttemptInfo:
    """Attributes:
    ending: how it ended; None while it runs, and where it failed or was killed.
    failure: the failure record, or what a full disk left of one; None where nothing was left.
    """

    number: int
    folder: Path
    owner: Owner | None
    progress: dict[str, Any]
    ending: ledger.Ending | None
    failure: dict[str, Any] | None
    log: Path

    @classmethod
    def of(cls, entry: ledger.Entry) -> AttemptInfo:
        return cls(
            number=entry.number,
            folder=entry.folder,
            owner=entry.owner,
            progress=entry.heartbeat.get("progress", {}),
            ending=entry.ending,
            failure=entry.failure or entry.loss,
            log=entry.folder / ledger.LOG,
        )


State = Literal["done", "running", "pending", "failed", "lost", "blocked"]

WITHOUT_PROGRESS = 5
"""Attempts in a row that were lost or evicted and added no checkpoint: nobody tries again by itself."""


def recorded_state(entry: Entry) -> State | None:
    """What an entry says of itself; None if it is an attempt without an end."""
    if entry.is_retry:
        return "pending"
    if entry.missing is not None:
        return "blocked"
    if entry.failure is not None:
        return "failed"
    ending = entry.ending
    if ending is None:
        return None
    return "lost" if ending in ("unfinished", "no_space") else "pending"


def is_given_up(entries: list[Entry]) -> bool:
    """Whether the newest attempts were lost or evicted too often in a row, and none added a checkpoint."""
    without_progress = 0
    for entry in entries:
        if entry.is_retry or entry.checkpointed or entry.ending == "published":
            break
        if entry.is_attempt and entry.ending in (None, "unfinished", "evicted"):
            without_progress += 1
    return without_progress >= WITHOUT_PROGRESS
