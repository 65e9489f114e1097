"""One example as a source gives it, and its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Example:
    """Text, numbers that came with it, and where it stands (for error messages)."""

    question: str
    rationale: str
    answer: str
    columns: dict[str, float] = field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    choices: tuple[str, ...] = ()
    """Where the answer is one of several: all of them, each as an answer is written."""
    label: int | None = None
    """Which of the choices is the answer."""


def example_ids(examples: list[Example]) -> list[str]:
    """An id for each example: a hash of its content, never of its position. Equal examples are told
    apart by a count."""
    seen: dict[str, int] = {}
    ids = []
    for e in examples:
        content = "\x00".join((e.question, e.rationale, e.answer))
        count = seen.get(content, 0)
        seen[content] = count + 1
        ids.append(hashlib.sha256(f"{content}\x00{count}".encode()).hexdigest()[:16])
    return ids
