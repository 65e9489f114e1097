"""Reading what Slurm's commands print, of any version: unknown fields are passed over, absent ones are None."""

from __future__ import annotations

import re

from clpd_bench.launch.slurm.times import minutes

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
