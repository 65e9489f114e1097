"""What a paired t test over a few seeds can find, exactly, and whether the declared seeds are enough.

Without scipy, whose import takes longer.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clpd_bench.errors import UserError

POWER = 0.8
"""What is asked for where nothing else is said."""

MOST_SEEDS = 1000
"""Beyond so many nobody goes: more are not counted."""

_erfc = np.frompyfunc(math.erfc, 1, 1)
_NEGLIGIBLE = 40.0
"""exp of minus this is nothing, to double precision."""


@functools.lru_cache(maxsize=4096)  # the points of a grid ask the same
def found(effect: float, seeds: int, alpha: float) -> float:
    """The power: the probability that a two-sided paired t test finds a true mean difference.

    With Holm over m comparisons the smallest p is compared with alpha / m. Given alpha / m, this is the power
    for a comparison in the worst case for it, that no other has been rejected before it.

    Args:
        effect: the difference, in standard deviations of the paired difference (d_z).

    Raises:
        UserError: fewer than two seeds.
    """
    freedom = _freedom(seeds)
    return _beyond(_critical(freedom, alpha), abs(effect) * math.sqrt(seeds), freedom)


def detectable_effect(seeds: int, alpha: float, power: float = POWER) -> float:
    """The smallest true mean difference that is found with this power, in standard deviations of the
    paired difference.

    With Holm over m comparisons the smallest p is compared with alpha / m.
    """
    return _root(lambda effect: found(effect, seeds, alpha) - power)


def seeds_needed(effect: float, alpha: float, power: float = POWER) -> int | None:
    """The fewest seeds with which a true difference of `effect` standard deviations of the paired difference
    is found with this power; None if they are more than `MOST_SEEDS`."""
    if found(effect, MOST_SEEDS, alpha) < power:
        return None
    low, high = 1, MOST_SEEDS  # more seeds find more: `high` are enough, `low` are not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if found(effect, middle, alpha) >= power else (middle, high)
    return high


def _freedom(seeds: int) -> int:
    if seeds < 2:
        raise UserError("a paired test needs at least two seeds", found=seeds)
    return seeds - 1


@functools.lru_cache(maxsize=4096)
def _critical(freedom: int, alpha: float) -> float:
    """What |t| exceeds with probability alpha where there is no difference."""
    return _root(lambda t: alpha - _beyond(t, 0.0, freedom))


def _beyond(critical: float, shift: float, freedom: int) -> float:
    """P(|T| > critical) for T = (Z + shift) / U, a noncentral t: Z standard normal, freedom x U^2 chi-square.

    The mean over U of what the normal distribution gives for a fixed U, by the trapezoid rule in x = log U: the
    integrand is analytic and vanishes at both ends, so that the error falls exponentially with the step. The
    step follows the narrower of the two factors: 1 / sqrt(freedom) wide the density, 1 / shift the normal.
    """
    width = math.sqrt(_NEGLIGIBLE / freedom)
    step = min(0.12 / math.sqrt(freedom), 0.5 / shift if shift else 1.0)
    x = np.arange(-(width + _NEGLIGIBLE / freedom), width, step)
    # freedom x - freedom e^2x / 2 is the log density, but for a constant, which the sum of weights is.
    weights = np.exp(freedom * (x + 0.5 - np.exp(2 * x) / 2))
    u = critical * np.exp(x)
    tails = (_erfc((u - shift) / math.sqrt(2)) + _erfc((u + shift) / math.sqrt(2))) / 2
    return float(weights @ tails.astype(np.float64) / weights.sum())


def _root(function: Callable[[float], float]) -> float:
    """Where a function that rises from below 0 at 0 crosses it."""
    low, high = 0.0, 1.0
    while function(high) < 0:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) >= 0 else (middle, high)
    return high


LARGE = 2.0
"""Standard deviations of the paired difference. A comparison that finds only more than that finds little."""


@dataclass(frozen=True)
class TooFew:
    """Attributes:
    what: what is wrong, a sentence without its final stop.
    fix: what to type, another.
    """

    what: str
    fix: str


def too_few_seeds(seeds: int, family: int, alpha: float) -> TooFew | None:
    """None where `seeds` find an effect of `LARGE` after Holm over a family of so many comparisons."""
    compared = f"{family} comparison{'s' if family > 1 else ''}"
    if seeds < 2:
        what = f"with 1 seed and {compared} nothing can be tested: a paired test needs 2 or more"
        return TooFew(what, "Add seeds, as in --set 'seeds=[0, 1, 2, 3, 4]'")
    # After Holm the smallest p is compared with this.
    strict = alpha / family
    least = detectable_effect(seeds, strict)
    if least <= LARGE:
        return None
    more = seeds + 2
    what = (
        f"with {seeds} seeds and {compared} only differences of more than {least:.1f} standard deviations (of the "
        f"difference between two arms at one seed) are found in 80 % of cases"
    )
    fix = f"{more} seeds would find {detectable_effect(more, strict):.1f}: --set 'seeds={list(range(more))}'"
    return TooFew(what, fix)
