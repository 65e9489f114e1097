"""Every arm against the baseline on every benchmark and metric: each comparison with all its tests in one row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from clpd_bench.analysis.contrasts import Block, blocks, four
from clpd_bench.analysis.corrections import CORRECTIONS, benjamini_hochberg
from clpd_bench.analysis.declaration import INTERACTION, Declaration, Factorial
from clpd_bench.analysis.outcomes import Evaluation, Run, by_benchmark
from clpd_bench.analysis.paired import MeanTest, Unpaired, equivalence_p, paired_t, unpaired
from clpd_bench.analysis.series import MACRO_AVERAGE, check_columns, named_series
from clpd_bench.analysis.two_way import Moments, seed_means, two_way
from clpd_bench.errors import UserError

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


__all__ = ["Comparison", "compare", "compare_benchmarks"]

NOBODY: frozenset[Run] = frozenset()


def compare(
    items: pd.DataFrame, declaration: Declaration, factorial: Factorial | None, diverged: frozenset[Run] = NOBODY
) -> pd.DataFrame:
    """Paired tests over seeds of every arm against the baseline, and of the interaction.

    Args:
        items: the long table (ITEM_COLUMNS); rows of kind REFERENCE are left out.
        declaration: baseline, family, correction, and what the p-values claim.
        factorial: the arms that make up the 2 x 2, if there is one.
        diverged: (arm, seed) whose pairs are to be dropped; give them only where that is the declared policy.

    Returns:
        The fields of Comparison, one row for each benchmark, metric and arm but the baseline: the
        family in its order, also where it has no outcomes, then the other arms by name, then, given
        a factorial, `interaction` with baseline "". Last the same rows for the benchmark MACRO_AVERAGE, for
        each metric that two benchmarks or more have.

    Raises:
        UserError: a family that can't be tested as declared, or items that can't be paired (see
            `benchmark_outcomes`).
    """
    check_columns(items)
    return compare_benchmarks(by_benchmark(items), declaration, factorial, diverged)


def compare_benchmarks(
    benchmarks: Iterable[tuple[str, Iterable[Evaluation]]],
    declaration: Declaration,
    factorial: Factorial | None,
    diverged: frozenset[Run] = NOBODY,
) -> pd.DataFrame:
    """`compare` for outcomes that need not fit into memory: the scores of one benchmark are held at a time,
    and the rows of one evaluation.

    Args:
        benchmarks: (name, its evaluations), each once and in any order; iterators will do.
    """
    found: dict[tuple[str, str, str], Block] = {}
    names: set[str] = set()
    for name, evaluations in benchmarks:
        if name in names:
            raise UserError("a benchmark is there twice", found=name)
        names.add(name)
        for block in blocks(name, evaluations, declaration.baseline, factorial, diverged):
            found[block.benchmark, block.metric, block.filter] = block
    arms = set().union(*(block.arms for block in found.values()))
    _check(declaration, factorial, arms)

    by_series = {(one.benchmark, one.name): [found[one[:3]]] for one in named_series(found)}
    metrics: dict[str, list[Block]] = {}
    for (_, metric), (block,) in by_series.items():
        metrics.setdefault(metric, []).append(block)
    macro = {(MACRO_AVERAGE, metric): several for metric, several in metrics.items() if len(several) > 1}
    rows: list[Comparison] = []
    for (benchmark, metric), those in {**by_series, **macro}.items():
        tests = [
            compared(those, benchmark, metric, name, pair, declaration, diverged)
            for name, pair in _contrasts(declaration, factorial, arms).items()
        ]
        rows += _corrected(tests, declaration)
    return pd.DataFrame(_exploratory(rows), columns=Comparison._fields)


def _contrasts(declaration: Declaration, factorial: Factorial | None, arms: set[str]) -> dict[str, tuple[str, ...]]:
    """The arms that each row is made of, in the order of rows."""
    names = [arm for arm in declaration.family if arm != INTERACTION]
    names += sorted(arms - {declaration.baseline, *names})
    contrasts: dict[str, tuple[str, ...]] = {arm: (arm, declaration.baseline) for arm in names}
    return contrasts if factorial is None else {**contrasts, INTERACTION: four(factorial)}


def _check(declaration: Declaration, factorial: Factorial | None, arms: set[str]) -> None:
    family = declaration.family
    if INTERACTION in arms:
        raise UserError(f"no arm may be called {INTERACTION!r}: it is the name of a test")
    if declaration.baseline in family:
        raise UserError("the baseline can't be in the family", found=declaration.baseline)
    if len(set(family)) != len(family):
        raise UserError("the family lists an arm twice", found=list(family))
    if INTERACTION in family and factorial is None:
        raise UserError(f"the family lists {INTERACTION!r}, but these arms are no complete 2 x 2 factorial")
    if declaration.margin is not None and not declaration.margin > 0:
        raise UserError("an equivalence margin has to be above 0", found=declaration.margin)


def _corrected(block: list[Comparison], declaration: Declaration) -> list[Comparison]:
    """The rows of one benchmark and metric, with `p_adjusted` for those in the family."""
    p_values = {row.arm: row.p for row in block}
    adjusted = CORRECTIONS[declaration.correction]([p_values[arm] for arm in declaration.family])
    by_arm = dict(zip(declaration.family, adjusted.tolist(), strict=True))
    return [row._replace(p_adjusted=by_arm[row.arm]) if row.arm in by_arm else row for row in block]


def _exploratory(rows: Sequence[Comparison]) -> list[Comparison]:
    """All rows, with `q` over those of the same metric."""
    q: dict[int, float] = {}
    for metric in {row.metric for row in rows}:
        places = [i for i, row in enumerate(rows) if row.metric == metric]
        q.update(zip(places, benjamini_hochberg([rows[i].p for i in places]).tolist(), strict=True))
    return [row._replace(q=q[i]) for i, row in enumerate(rows)]
