"""The cluster-robust test over seeds and items: a claim about items like these, not about these alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.analysis.paired import NO_SPREAD, MeanTest, t_test
from clpd_bench.errors import UserError


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


class ClusterVariance(NamedTuple):
    """Variances of a mean over seeds and items, clustered by seed, by item, and by neither."""

    seed: float
    item: float
    cell: float

    @property
    def total(self) -> float:
        """V_seed + V_item - V_cell, which can come out negative, so not below the larger of the two."""
        return max(self.seed + self.item - self.cell, self.seed, self.item)


def cluster_variance(benchmarks: Sequence[Moments]) -> ClusterVariance:
    """Of the unweighted mean over benchmarks (often one) of the mean over seeds and items.

    Seeds are the same on all benchmarks; items are nested in them, so that item and cell variances of
    different benchmarks add up. Each has the usual correction G / (G - 1) for its number of clusters, as
    statsmodels' `cov_cluster_2groups` has; V_seed is the squared standard error of the paired t.

    Raises:
        UserError: fewer than two seeds, or a benchmark with fewer than two items.
    """
    seeds, count = len(benchmarks[0].seeds), len(benchmarks)
    if seeds < 2:
        raise UserError("a two-way test needs at least two complete pairs of seeds", found=seeds)
    if min(one.items for one in benchmarks) < 2:
        raise UserError("a two-way test needs at least two items on every benchmark", found=1)
    item = sum(one.products.sum() / seeds**2 / (one.items * (one.items - 1)) for one in benchmarks)
    cell = 0.0
    for one in benchmarks:
        cells = seeds * one.items
        cell += (np.trace(one.products) + one.items * _squares(one.means)) / (cells * (cells - 1))
    seed = _squares(seed_means(benchmarks)) / (seeds * (seeds - 1))
    return ClusterVariance(seed, float(item) / count**2, float(cell) / count**2)


def seed_means(benchmarks: Sequence[Moments]) -> FloatArray:
    """[seed]: the unweighted mean over benchmarks of the mean over items."""
    return np.asarray(np.mean([one.means for one in benchmarks], axis=0))


def two_way(benchmarks: Sequence[Moments]) -> MeanTest:
    """Two-way cluster-robust t with S - 1 degrees of freedom, and its 95% interval.

    Where nothing varies there is no test, as in `paired_t`.

    Raises:
        UserError: see `cluster_variance`.
    """
    d = seed_means(benchmarks)
    error = float(np.sqrt(cluster_variance(benchmarks).total))
    return t_test(float(d.mean()), error, len(d) - 1, no_spread=error <= NO_SPREAD * float(np.abs(d).max()))


def _squares(values: FloatArray) -> float:
    return float(((values - values.mean()) ** 2).sum())
