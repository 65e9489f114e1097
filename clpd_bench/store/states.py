"""What the entries of a key say about its state, as far as they say."""

from __future__ import annotations

from typing import Literal

from clpd_bench.store.ledger import Entry

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
