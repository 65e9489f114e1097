"""What the tests need to know of a difference [seed, item]: a few numbers instead of all items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clpd_bench.analysis.outcomes import FloatArray


@dataclass(frozen=True)
class Moments:
    """Of D[seed, item], on one benchmark.

    Attributes:
        seeds: the seeds, ascending.
        means: [seed], the mean over items.
        products: [seed, seed], the sum over items of (D_s - mean_s)(D_t - mean_t).
        items: how many.
    """

    seeds: tuple[int, ...]
    means: FloatArray
    products: FloatArray
    items: int

    def at(self, seeds: Sequence[int]) -> Moments:
        """The same of fewer seeds."""
        if tuple(seeds) == self.seeds:
            return self
        rows = [self.seeds.index(seed) for seed in seeds]
        return Moments(tuple(seeds), self.means[rows], self.products[np.ix_(rows, rows)], self.items)


def moments(difference: FloatArray, seeds: Sequence[int] | None = None) -> Moments:
    """Of D[seed, item]; without `seeds` they are counted from 0."""
    means = np.asarray(difference.mean(axis=1))
    centred = difference - means[:, None]
    counted = range(len(means)) if seeds is None else seeds
    return Moments(tuple(counted), means, centred @ centred.T, difference.shape[1])
