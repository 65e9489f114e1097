"""How often the tests find a difference where there is none, at a nominal 5 %.

`python benchmarks/error_rates.py [--draws 10000] [--seed 0] [--sd SEED ITEM RESIDUAL]`.

What is drawn is the difference of two arms, D[seed, item] = seed effect + item effect + residual: what the arms
share has cancelled in it, and the item effect is that of an item which one arm can do better. Two worlds:

- items held fixed: the item effects are drawn once and centred, so that on these very items there is no difference;
  seeds and residuals are redrawn.
- items redrawn: the item effects are redrawn too; no difference is true of all items, not of the drawn ones.

The tests are those of a report, called as it calls them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clpd_bench.analysis.paired import paired_t
from clpd_bench.analysis.two_way import Moments, moments, two_way

ITEMS, SEEDS, ALPHA = 500, (3, 5, 8), 0.05
TESTS: dict[str, Callable[[Moments], float]] = {
    "paired t": lambda drawn: paired_t(drawn.means).p,
    "two-way": lambda drawn: two_way([drawn]).p,
}
WORLDS = ("items held fixed", "items redrawn")


class Spread(NamedTuple):
    """Standard deviations of the three effects."""

    seed: float = 0.01
    item: float = 0.4
    residual: float = 0.5


class Rate(NamedTuple):
    """Attributes:
    rejected: share of draws with p <= ALPHA.
    error: its binomial standard error.
    """

    world: str
    test: str
    seeds: int
    rejected: float
    error: float


def error_rates(draws: int, seed: int, sd: Spread) -> list[Rate]:
    """Of every test in every world, for SEEDS."""
    rates = []
    for world in WORLDS:
        for seeds in SEEDS:
            rng = np.random.default_rng([seed, WORLDS.index(world), seeds])
            p_values = _p_values(world, seeds, draws, sd, rng)
            for test, p in p_values.items():
                rejected = float((np.array(p) <= ALPHA).mean())
                rates.append(Rate(world, test, seeds, rejected, float(np.sqrt(rejected * (1 - rejected) / draws))))
    return rates


def _p_values(world: str, seeds: int, draws: int, sd: Spread, rng: np.random.Generator) -> dict[str, list[float]]:
    held = rng.normal(0, sd.item, ITEMS)
    held -= held.mean()
    p_values: dict[str, list[float]] = {test: [] for test in TESTS}
    for _ in range(draws):
        items = held if world == "items held fixed" else rng.normal(0, sd.item, ITEMS)
        by_seed = rng.normal(0, sd.seed, (seeds, 1))
        drawn = moments(by_seed + items + rng.normal(0, sd.residual, (seeds, ITEMS)))
        for test, p_value in TESTS.items():
            p_values[test].append(p_value(drawn))
    return p_values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sd", type=float, nargs=3, default=Spread(), metavar=("SEED", "ITEM", "RESIDUAL"))
    arguments = parser.parse_args()
    sd = Spread(*arguments.sd)
    rates = error_rates(arguments.draws, arguments.seed, sd)
    print(f"Rejected at p <= {ALPHA:g}, % of {arguments.draws} draws ± binomial standard error; {ITEMS} items,")
    print(f"sd of seed, item and residual effects {sd.seed:g}, {sd.item:g}, {sd.residual:g}; no true difference.")
    print()
    print("| world | test | " + " | ".join(f"{seeds} seeds" for seeds in SEEDS) + " |")
    print("|---|---|" + "---|" * len(SEEDS))
    for world in WORLDS:
        for test in TESTS:
            cells = [
                f"{100 * rate.rejected:.1f} ± {100 * rate.error:.1f}"
                for rate in rates
                if (rate.world, rate.test) == (world, test)
            ]
            print(f"| {world} | {test} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
