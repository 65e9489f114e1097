"""Every arm against the baseline, on every benchmark and metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from clpd_bench.analysis.comparison import Comparison, compared
from clpd_bench.analysis.contrasts import Block, blocks, four
from clpd_bench.analysis.corrections import CORRECTIONS, benjamini_hochberg
from clpd_bench.analysis.declaration import INTERACTION, Declaration, Factorial
from clpd_bench.analysis.items import check_columns
from clpd_bench.analysis.metrics import MACRO_AVERAGE, named_series
from clpd_bench.analysis.outcomes import Evaluation, Run, by_benchmark
from clpd_bench.errors import UserError

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
