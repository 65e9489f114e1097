"""One comparison, on one benchmark or on the macro-average of several: all its tests in one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clpd_bench.analysis.contrasts import Block
from clpd_bench.analysis.declaration import INTERACTION, Declaration
from clpd_bench.analysis.equivalence import equivalence_p
from clpd_bench.analysis.moments import Moments
from clpd_bench.analysis.outcomes import Run
from clpd_bench.analysis.paired import MeanTest, paired_t
from clpd_bench.analysis.two_way import seed_means, two_way
from clpd_bench.analysis.unpaired import Unpaired, unpaired

METHOD = "paired t over seeds, these items"
NEW_ITEMS = "two-way cluster-robust over seeds and items, new items"
NAN = float("nan")


class Comparison(NamedTuple):
    """One row of what `compare` returns. Where something does not apply it is nan.

    Attributes:
        baseline: "" for the interaction.
        seeds: the complete pairs.
        items: on all benchmarks together, for a macro-average; one that several share counts once.
        difference, low, high: raw, arm - baseline, in the metric's own unit; the interval is 95%, unadjusted.
        p, p_adjusted: as declared, of the paired or the two-way test; p_adjusted within the family.
        method: which test that is, or why there is none.
        sd_arm, sd_baseline: over seeds, of the means over items.
        correlation: of the pairs of these means.
        d_z: difference / sd of the paired differences.
        welch_p: without pairing.
        two_way_low, two_way_high, two_way_p: the two-way test, whatever is declared.
        equivalence_p: TOST over paired seeds at the declared margin; of arms on the primary result alone.
        q: Benjamini-Hochberg over all rows of this metric that have a p.
        dropped: seeds of these arms that are left out: another of them has no outcomes there, or diverged.
    """

    benchmark: str
    metric: str
    arm: str
    baseline: str
    seeds: int
    items: int
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    method: str
    sd_arm: float = NAN
    sd_baseline: float = NAN
    correlation: float = NAN
    d_z: float = NAN
    welch_p: float = NAN
    two_way_low: float = NAN
    two_way_high: float = NAN
    two_way_p: float = NAN
    equivalence_p: float = NAN
    q: float = NAN
    dropped: int = 0


def compared(
    blocks: Sequence[Block],
    benchmark: str,
    metric: str,
    name: str,
    arms: Sequence[str],
    declaration: Declaration,
    diverged: frozenset[Run],
) -> Comparison:
    """The row of one contrast, still without what depends on other rows (`p_adjusted`, `q`).

    Args:
        blocks: one, or those to be averaged.
        benchmark, metric: what the row is called.
        name: the arm, or INTERACTION.
        arms: all that the contrast is made of.
    """
    seeds = sorted(set.intersection(*(set(block.contrast(name).seeds) for block in blocks)))
    present = {run for block in blocks for run in block.means} | diverged
    row = Comparison(
        benchmark=benchmark,
        metric=metric,
        arm=name,
        baseline="" if name == INTERACTION else declaration.baseline,
        seeds=len(seeds),
        items=len(np.unique(np.concatenate([block.items for block in blocks]))),
        difference=NAN,
        low=NAN,
        high=NAN,
        p=NAN,
        p_adjusted=NAN,
        method=_too_few(name, len(blocks)),
        dropped=len({seed for arm, seed in present if arm in arms} - set(seeds)),
    )
    if len(seeds) < 2:
        return row
    moments = [block.contrast(name).at(seeds) for block in blocks]
    by_seed = seed_means(moments)
    shared = _shared(blocks)
    paired, both = paired_t(by_seed), MeanTest(NAN, NAN, NAN, NAN) if shared else _two_way(moments)
    claimed = paired if declaration.generalise_to == "these items" else both
    method = METHOD if claimed is paired else NEW_ITEMS
    note = "; ".join(filter(None, (claimed.note, shared)))
    row = row._replace(
        difference=claimed.difference,
        low=claimed.low,
        high=claimed.high,
        p=claimed.p,
        method=f"{method}: {note}" if note else method,
        d_z=paired.d_z,
        two_way_low=both.low,
        two_way_high=both.high,
        two_way_p=both.p,
    )
    if name == INTERACTION:
        return row
    row = row._replace(**_unpaired(blocks, arms, seeds)._asdict())
    primary = (declaration.primary_benchmark, declaration.primary_metric)
    if declaration.margin is None or (benchmark, metric) != primary:
        return row
    return row._replace(equivalence_p=equivalence_p(by_seed, declaration.margin))


def _shared(blocks: Sequence[Block]) -> str:
    """Why there is no two-way test of an average; "" where there is one.

    Its variance takes the items of different benchmarks for drawn independently, and one that stands in several is
    drawn once: V_item would be too small, by half where two benchmarks have all items in common. The paired t holds
    items fixed, and a mean of two means over fixed items is one whatever they have in common.
    """
    for i, one in enumerate(blocks):
        for other in blocks[:i]:
            if len(common := np.intersect1d(one.items, other.items, assume_unique=True)):
                return f"no test on new items, {other.benchmark} and {one.benchmark} share {len(common)} items"
    return ""


def _two_way(moments: Sequence[Moments]) -> MeanTest:
    if min(one.items for one in moments) < 2:
        return MeanTest(NAN, NAN, NAN, NAN, "no test with a single item")
    return two_way(moments)


def _unpaired(blocks: Sequence[Block], arms: Sequence[str], seeds: Sequence[int]) -> Unpaired:
    means = [np.array([[block.means[arm, seed] for seed in seeds] for block in blocks]).mean(axis=0) for arm in arms]
    return unpaired(*means)


def _too_few(name: str, benchmarks: int) -> str:
    text = "fewer than two seeds that all four arms have" if name == INTERACTION else "fewer than two complete pairs"
    return text if benchmarks == 1 else f"{text} on all {benchmarks} benchmarks"
