"""Pieces of Markdown in which any text keeps its letters."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml


def code(text: str) -> str:
    """A code span. Names that people choose stand in one: nothing in it is markup."""
    text = " ".join(text.split()) or " "
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """A fenced block."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


def bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def front_matter(fields: dict[str, object]) -> str:
    """The YAML that a hub reads, between its two lines."""
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---"


def _longest_run(text: str) -> int:
    """Of backticks, the longest."""
    return max((len(run) for run in re.findall("`+", text)), default=0)
