"""Whether power as computed is power as simulated: `python benchmarks/power.py [--draws 40000]`, seconds.

A baseline and three arms at S seeds; an outcome is a seed's effect, which all arms share, and a residual, so that a
paired difference has a standard deviation of 1 and two differences to the one baseline correlate by a half. The
first arm differs truly from the baseline by d_z; the other two do not, and in the last column all three do.
Computed is `clpd_bench.analysis.power`; simulated are paired t tests with scipy's p, and Holm over the three.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt
from scipy import stats

from clpd_bench.analysis.power import found, seeds_needed
from clpd_bench.analysis.spread import blinded

ALPHA, FAMILY = 0.05, 3
SEEDS, EFFECTS = (3, 5, 8, 14), (1.0, 1.5, 2.0)
FloatArray = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=40_000)
    draws = parser.parse_args().draws
    rng = np.random.default_rng(0)
    print(f"percent; {draws} draws, a simulated figure's standard error is {50 / draws**0.5:.2f} at most\n")
    tests = "alone, computed | simulated | worst of 3, computed | Holm, 1 of 3 true | beyond the bound | all 3 true"
    print(f"| seeds | d_z | {tests} |")
    print("|---|---|---|---|---|---|---|---|")
    furthest = 0.0
    for seeds in SEEDS:
        for effect in EFFECTS:
            computed = found(effect, seeds, ALPHA), found(effect, seeds, ALPHA / FAMILY)
            one, three = p_values(rng, draws, seeds, (effect, 0, 0)), p_values(rng, draws, seeds, (effect,) * 3)
            alone, holm, every = (one[:, 0] <= ALPHA).mean(), first_by_holm(one), first_by_holm(three)
            furthest = max(furthest, abs(alone - computed[0]))
            beyond = holm - (one[:, 0] <= ALPHA / FAMILY).mean()  # on the same draws
            shown = (computed[0], alone, computed[1], holm, beyond, every)
            print(f"| {seeds} | {effect:g} | {' | '.join(f'{100 * value:.1f}' for value in shown)} |")
    print(f"\nLargest distance of a test alone: {100 * furthest:.2f} points.\n")
    print("| an interaction half the size | seeds alone | seeds, worst of 3 |")
    print("|---|---|---|")
    for effect in (0.5, 1.0, 1.5, 2.0, 2.5):
        shown = []
        for level in (ALPHA, ALPHA / FAMILY):
            simple, half = seeds_needed(effect, level), seeds_needed(effect / 2 / 2**0.5, level)
            shown.append(f"{half} for {simple}: {half / simple:.1f} times" if half and simple else f"- for {simple}")
        print(f"| d_z {effect:g} | {' | '.join(shown)} |")
    print(f"\nBlinded spread, {draws // 20} stores of 4 arms, the true sd of a paired difference 1:\n")
    print("| seeds | root of the mean variance | interval holds the truth, % |")
    print("|---|---|---|")
    for seeds in (2, 3, 5, 8):
        found_in = [blinded(store(rng, seeds)) for _ in range(draws // 20)]
        spreads = [one.difference for one in found_in if one]
        size = np.mean([one.sd**2 for one in spreads]) ** 0.5
        holds = np.mean([one.low <= 1 <= one.high for one in spreads])
        print(f"| {seeds} | {size:.3f} | {100 * holds:.1f} |")


def outcomes(rng: np.random.Generator, draws: int, seeds: int) -> FloatArray:
    """[draw, arm, seed], no arm different from another."""
    shared = rng.normal(0, 2, size=(draws, 1, seeds))
    return shared + rng.normal(0, 0.5**0.5, size=(draws, 1 + FAMILY, seeds))


def p_values(rng: np.random.Generator, draws: int, seeds: int, effects: tuple[float, ...]) -> FloatArray:
    """[draw, comparison]: paired t tests against the first arm."""
    y = outcomes(rng, draws, seeds)
    y[:, 1:] += np.array(effects)[None, :, None]
    return np.asarray(stats.ttest_rel(y[:, 1:], y[:, :1], axis=2).pvalue)


def first_by_holm(p: FloatArray) -> float:
    """How often the first comparison is found after Holm, by its definition: step down while p holds."""
    order = p.argsort(axis=1)
    levels = ALPHA / (p.shape[1] - np.arange(p.shape[1]))
    passed = np.logical_and.accumulate(np.take_along_axis(p, order, axis=1) <= levels, axis=1)
    return float((passed & (order == 0)).any(axis=1).mean())


def store(rng: np.random.Generator, seeds: int) -> dict[tuple[str, int], float]:
    y = outcomes(rng, 1, seeds)[0]
    return {(f"arm {a}", s): float(y[a, s]) for a in range(len(y)) for s in range(seeds)}


if __name__ == "__main__":
    main()
