"""Durations and large numbers as people read them."""

from __future__ import annotations

import math

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def duration(seconds: float) -> str:
    """`5.4 s`, `7 min 40 s`, `2 h 5 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def count(number: float) -> str:
    """`230,400`, `34.6 million`, `1.2 billion`."""
    if number >= 1e9:
        return f"{number / 1e9:.1f} billion"
    return f"{number / 1e6:.1f} million" if number >= 1e7 else f"{number:,.0f}"


def power_of_ten(number: float) -> str:
    """`4.6 × 10¹⁰`, `0`."""
    if number <= 0:
        return "0"
    exponent = math.floor(math.log10(number))
    mantissa = f"{number / 10**exponent:.1f}"
    if mantissa == "10.0":
        mantissa, exponent = "1.0", exponent + 1
    return f"{mantissa} × 10{str(exponent).translate(_SUPERSCRIPT)}"


def share(value: float) -> str:
    """`33%`."""
    return f"{value:.0%}"
