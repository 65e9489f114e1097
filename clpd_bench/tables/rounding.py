"""Numbers as people read them: in their unit, rounded to their uncertainty, differences signed."""

from __future__ import annotations

import math
from typing import NamedTuple

_MOST_DECIMALS = 6


class Unit(NamedTuple):
    """How a metric is shown: times `scale`, with `decimals` where no uncertainty says how many."""

    scale: float
    mean: str
    difference: str
    decimals: int


UNITS = {
    "exact_match": Unit(100, "%", "points", 1),
    "acc": Unit(100, "%", "points", 1),
    "acc_norm": Unit(100, "%", "points", 1),
    "response_loss": Unit(1, "nats a token", "nats a token", 3),
}


def decimals(uncertainty: float, otherwise: int) -> int:
    """Decimals that show two significant digits of `uncertainty`; `otherwise` if it is 0 or nan."""
    if not math.isfinite(uncertainty) or uncertainty <= 0:
        return otherwise
    return min(max(1 - math.floor(math.log10(uncertainty)), 0), _MOST_DECIMALS)


def mean_and_sd(mean: float, sd: float, unit: Unit) -> str:
    """`46.3 ± 1.8`, or `46.3` where there is no sd."""
    mean, sd = mean * unit.scale, sd * unit.scale
    places = decimals(sd, unit.decimals)
    return f"{mean:.{places}f}" if math.isnan(sd) else f"{mean:.{places}f} ± {sd:.{places}f}"


def interval(mean: float, low: float, high: float, unit: Unit) -> tuple[str, str]:
    """A mean and its interval, `46.3` and `[44.5, 48.1]`, rounded by half its width; "" for one of no width."""
    low, high = low * unit.scale, high * unit.scale
    places = decimals((high - low) / 2, unit.decimals)
    shown = f"[{low:z.{places}f}, {high:z.{places}f}]" if low < high else ""
    return f"{mean * unit.scale:z.{places}f}", shown


class RoundedDifference(NamedTuple):
    """A difference and the ends of its interval, in their unit, equally rounded."""

    difference: str
    low: str
    high: str


def difference(value: float, low: float, high: float, unit: Unit) -> RoundedDifference:
    """A signed difference, rounded by half the width of its interval; finer where an end would round to
    0 and no longer say on which side of it it lies."""
    places = decimals((high - low) / 2 * unit.scale, unit.decimals)
    low, high = low * unit.scale, high * unit.scale
    while places < _MOST_DECIMALS and any(end and round(end, places) == 0 for end in (low, high)):
        places += 1
    return RoundedDifference(f"{value * unit.scale:+z.{places}f}", f"{low:z.{places}f}", f"{high:z.{places}f}")


def p_value(p: float) -> str:
    """`p = .41`, `p = .032`, `p < .001`; `p = .0502` where fewer digits would not tell on which side of .05 it lies."""
    if p < 0.001:
        return "p < .001"
    digits = f"{p:.2f}" if p >= 0.1 else f"{p:.3f}"
    if digits == "0.050" and p != 0.05:
        digits = f"{p:.4f}"
    return f"p = {digits.removeprefix('0')}"


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
