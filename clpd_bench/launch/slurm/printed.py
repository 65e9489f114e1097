"""What Slurm's commands print, of any version: unknown fields are passed over, absent ones are None."""

from __future__ import annotations

import math
import re

_FORM = re.compile(r"(?:(?P<days>\d+)-)?(?P<clock>\d+(?::\d+){0,2})")
FORMS = "minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes, days-hours:minutes:seconds"


def minutes(text: str) -> int | None:
    """Whole minutes, rounded up; None for UNLIMITED and the like.

    Raises:
        ValueError: the text is none of Slurm's forms of a time.
    """
    if text.upper() in ("UNLIMITED", "INFINITE", "NOT_SET", "NONE", "N/A", ""):
        return None
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no time; write {FORMS}")
    parts = [int(part) for part in match["clock"].split(":")]
    if match["days"] is None and len(parts) < 3:
        parts = [0, *parts]  # minutes come first
    hours, short, seconds = (*parts, 0, 0)[:3]
    return math.ceil(int(match["days"] or 0) * 1440 + hours * 60 + short + seconds / 60)


_NOTHING = {"", "(null)", "n/a", "none", "unlimited", "infinite", "not_set"}
_NAME = re.compile(r"(?:^|\s)([A-Za-z][\w/:()-]*)=")


def fields(line: str) -> dict[str, str]:
    """`Name=value` pairs of one line of `scontrol show ... -o`; values may hold blanks and further `=`.

    Of a name that stands twice the first counts: what people wrote (a Reason) comes last.
    """
    found = list(_NAME.finditer(line))
    ends = [match.start() for match in found[1:]] + [len(line)]
    out: dict[str, str] = {}
    for match, end in zip(found, ends, strict=True):
        out.setdefault(match[1], line[match.end() : end].strip())
    return out


def rows(text: str) -> list[dict[str, str]]:
    """The rows of `sacctmgr -P`, by the names in its first line."""
    lines = [line.split("|") for line in text.splitlines() if "|" in line]
    return [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]


def text(value: str | None) -> str | None:
    """None for the ways in which Slurm says that there is nothing, or no limit."""
    return None if value is None or value.lower() in _NOTHING else value


def number(value: str | None) -> int | None:
    """The whole number that a value begins with, as in `30 sec`."""
    match = re.match(r"\d+", text(value) or "")
    return int(match[0]) if match else None


def time_limit(value: str | None) -> int | None:
    """Minutes."""
    try:
        return minutes(text(value) or "")
    except ValueError:
        return None


def names(value: str | None) -> frozenset[str]:
    """The names in a list with commas."""
    return frozenset(name for name in (text(value) or "").split(",") if name)


def only(value: str | None) -> frozenset[str] | None:
    """Who is let in; None for all."""
    return None if text(value) is None or value == "ALL" else names(value)
