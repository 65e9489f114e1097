"""FLOPs, bytes, weights and seconds in few digits."""

from __future__ import annotations

PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z")


def short(value: float, unit: str = "") -> str:
    """Three digits with the SI prefix: `494 M`, `1.22 PFLOP`."""
    size = 0
    while value >= 999.5 and size < len(PREFIXES) - 1:
        value, size = value / 1000, size + 1
    digits = f"{value:.3g}" if value < 999.5 else f"{value:.0f}"
    return f"{digits} {PREFIXES[size]}{unit}".rstrip()


def hours(seconds: float) -> str:
    """`3.2 h`, `12 min`, `40 s`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.3g} h"
