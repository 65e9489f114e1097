"""The end of a log."""

from __future__ import annotations

from collections import deque
from pathlib import Path


def last_lines(log: Path, number: int) -> tuple[str, ...]:
    """The last lines of a file; in their place, why it can't be read."""
    try:
        with log.open(errors="replace") as file:
            return tuple(line.rstrip() for line in deque(file, number))
    except OSError as error:
        return (f"(the log can't be read: {error.strerror})",)
