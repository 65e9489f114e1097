"""What a paired t test over a few seeds can find at all."""

from __future__ import annotations

from scipy import optimize, stats


def _found(effect: float, seeds: int, alpha: float) -> float:
    """The probability that a two-sided paired t test finds a true mean difference.

    Args:
        effect: the difference, in standard deviations of the paired difference.
    """
    freedom = seeds - 1
    critical = stats.t.isf(alpha / 2, freedom)
    # t is noncentral t by effect x sqrt(seeds), so t^2 noncentral F: both tails in one, where scipy's own
    # noncentral t gives nan for the far one.
    return float(stats.ncf.sf(critical**2, 1, freedom, effect**2 * seeds))


def detectable_effect(seeds: int, alpha: float, power: float = 0.8) -> float:
    """The smallest true mean difference that is found with this power, in standard deviations of the
    paired difference.

    With Holm over m comparisons the smallest p is compared with alpha / m.
    """
    high = 1.0
    while _found(high, seeds, alpha) < power:
        high *= 2
    return float(optimize.brentq(lambda effect: _found(effect, seeds, alpha) - power, 0, high, xtol=1e-10))
