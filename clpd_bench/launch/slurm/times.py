"""Times as Slurm writes them."""

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


def written(total: float) -> str:
    """Minutes for people: `45 min`, `4 h`, `1 d 12 h`."""
    whole = math.ceil(total)
    days, rest = divmod(whole, 1440)
    hours, left = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (left, "min")) if n]
    return " ".join(parts[:2]) or "0 min"
