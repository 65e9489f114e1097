"""The wall clock, for people to read: nothing in the store is decided by it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The time in UTC, in ISO form, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
