"""How much paired differences vary over seeds, with or without a look at the differences themselves.

Without pandas and scipy: `clpd plan` asks it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SeedMeans = Mapping[tuple[str, int], float]
"""{(arm, seed): the mean over items of one metric}."""


@dataclass(frozen=True)
class Spread:
    """The standard deviation over seeds of a paired difference, as estimated.

    Attributes:
        sd: in the metric's own unit.
        low, high: its 95% interval, by the chi-square distribution of a normal sample's variance.
        freedom: degrees of freedom.
    """

    sd: float
    low: float
    high: float
    freedom: int


@dataclass(frozen=True)
class Blinded:
    """A spread that no difference between arms can be read from.

    Attributes:
        arm_sd: over seeds within an arm, pooled over arms.
        correlation: of two arms over seeds, 1 - (residual mean square) / arm_sd^2.
        arms, seeds: how many it is from.
    """

    difference: Spread
    arm_sd: float
    correlation: float
    arms: int
    seeds: int


def blinded(means: SeedMeans) -> Blinded | None:
    """The spread of paired differences, from all arms together, with no difference looked at.

    y[arm, seed] = arm + seed + residual is fitted by least squares, in which cells may be missing. The residual
    mean square estimates the variance that two arms at one seed do not share, s^2 (1 - rho), so the paired
    difference's variance is 2 s^2 (1 - rho) = 2 x it. Both it and the variance within arms are of what remains
    after the arms' own means have been taken out: any constants may be added to the arms, and so any
    differences between them made or undone, and neither changes. Nothing can be read from it of which arm is
    better, by how much, or whether they differ at all.

    It is one number for all pairs: where some arms vary more than others, or some pairs correlate more, it is
    their average.

    Returns:
        None where fewer than two arms have two seeds in common with another.
    """
    counts: dict[str, int] = {}
    for arm, _ in means:
        counts[arm] = counts.get(arm, 0) + 1
    cells = sorted(cell for cell in means if counts[cell[0]] > 1)
    arms, seeds = sorted({arm for arm, _ in cells}), sorted({seed for _, seed in cells})
    if len(arms) < 2 or len(seeds) < 2:
        return None
    y = np.array([means[cell] for cell in cells])
    by_arm = np.array([[arm == one for one in arms] for arm, _ in cells], dtype=np.float64)
    by_seed = np.array([[seed == one for one in seeds] for _, seed in cells], dtype=np.float64)
    # Less the arms' means first: what is fitted then holds no difference between them.
    y = y - by_arm @ np.linalg.lstsq(by_arm, y)[0]
    design = np.hstack([by_arm, by_seed])
    fit, _, rank, _ = np.linalg.lstsq(design, y)
    freedom = len(cells) - int(rank)
    if freedom < 1:
        return None
    residual = float(np.sum((y - design @ fit) ** 2)) / freedom
    within = float(np.sum(y**2)) / (len(cells) - len(arms))
    correlation = 1 - residual / within if within > 0 else math.nan
    difference = _estimated(math.sqrt(2 * residual), freedom)
    return Blinded(difference, math.sqrt(within), correlation, len(arms), len(seeds))


def of_differences(differences_by_seed: npt.NDArray[np.float64]) -> Spread | None:
    """The spread of paired differences that are there to be looked at; None of fewer than two."""
    if len(differences_by_seed) < 2:
        return None
    return _estimated(float(np.std(differences_by_seed, ddof=1)), len(differences_by_seed) - 1)


def _estimated(sd: float, freedom: int) -> Spread:
    low, high = (sd * math.sqrt(freedom / _chi_square(freedom, beyond)) for beyond in (0.025, 0.975))
    return Spread(sd, low, high, freedom)


def _chi_square(freedom: int, beyond: float) -> float:
    """What a chi-square variable exceeds with this probability."""
    return _falls_to(lambda x: _chi_square_beyond(x, freedom), beyond)


def _chi_square_beyond(x: float, freedom: int) -> float:
    """P(X > x): for whole degrees of freedom a finite sum."""
    half, odd = x / 2, freedom % 2
    if half == 0:
        return 1.0
    powers = (k + odd / 2 for k in range(freedom // 2))
    terms = (math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers)
    return (math.erfc(math.sqrt(half)) if odd else 0.0) + math.fsum(terms)


def _falls_to(function: Callable[[float], float], value: float) -> float:
    """Where a function that falls from 1 at 0 to 0 has this value."""
    low, high = 0.0, 1.0
    while function(high) > value:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > value else (low, middle)
    return high
