"""What preflight finds."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """Attributes:
    level: fatal, if something would fail or wait for ever.
    what: a sentence without its final stop.
    fix: what to type or to change, another.
    """

    level: Literal["fatal", "warning"]
    what: str
    fix: str


def choice(found: str, allowed: Iterable[str]) -> str:
    """The fix for a name that is not there: the nearest that is, and all of them."""
    there = sorted(allowed)
    close = difflib.get_close_matches(found, there, n=1, cutoff=0.6)
    near = f"Did you mean {close[0]!r}? " if close else ""
    return f"{near}There are: {', '.join(there) or 'none'}"
