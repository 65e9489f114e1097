"""Every arm against the baseline, on every benchmark and metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from clpd_bench.analysis.corrections import holm
from clpd_bench.analysis.declaration import INTERACTION, Declaration, Factorial
from clpd_bench.analysis.interaction import interaction
from clpd_bench.analysis.items import REFERENCE, check_columns
from clpd_bench.analysis.metrics import Series, metric_series
from clpd_bench.analysis.outcomes import (
    FloatArray,
    Outcomes,
    complete_seeds,
    outcome_array,
    outcomes,
)
from clpd_bench.analysis.paired import paired_t, seed_differences
from clpd_bench.errors import UserError

METHOD = "paired t over seeds, these items"
NAN = float("nan")


class Comparison(NamedTuple):
    """One row of what `compare` returns; see there."""

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


def compare(
    items: pd.DataFrame,
    declaration: Declaration,
    factorial: Factorial | None,
    *,
    diverged: frozenset[tuple[str, int]] = frozenset(),
) -> pd.DataFrame:
    """Paired tests over seeds of every arm against the baseline, and of the interaction.

    Args:
        items: the long table (ITEM_COLUMNS); rows of kind REFERENCE are left out.
        declaration: baseline, family, correction.
        factorial: the arms that make up the 2 x 2, if there is one.

    Returns:
        The fields of Comparison, one row for each benchmark, metric and arm but the baseline: the
        family in its order, also where it has no outcomes, then the other arms by name, then, given
        a factorial, `interaction` with baseline "". `difference`, `low` and `high` are raw, arm -
        baseline, in the metric's own unit; the interval is 95%, unadjusted. `seeds` counts the
        complete pairs. `p_adjusted` is nan outside the family. Where there is no test, `method`
        says why.

    Raises:
        UserError: a family that can't be tested as declared, or items that can't be paired (see
            `outcomes`).
    """
    check_columns(items)
    if diverged:
        runs = zip(items["arm"], items["seed"], strict=True)
        items = items[[run not in diverged for run in runs]]
    arms = set(items.loc[items["kind"] != REFERENCE, "arm"].tolist())
    _check(declaration, factorial, arms)
    compared = [arm for arm in declaration.family if arm != INTERACTION]
    compared += sorted(arms - {declaration.baseline, *compared})
    rows: list[Comparison] = []
    for series in metric_series(items):
        checked = outcomes(items, series)
        block = [_against_baseline(checked, series, arm, declaration.baseline) for arm in compared]
        if factorial is not None:
            block.append(_interaction(checked, series, factorial))
        rows += _corrected(block, declaration.family)
    return pd.DataFrame(rows, columns=Comparison._fields)


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


def _against_baseline(checked: Outcomes, series: Series, arm: str, baseline: str) -> Comparison:
    test = _test(checked, (arm, baseline), seed_differences, "fewer than two complete pairs")
    return Comparison(series.benchmark, series.name, arm, baseline, **test)


def _interaction(checked: Outcomes, series: Series, factorial: Factorial) -> Comparison:
    four = (
        factorial.clpd,
        factorial.data_ordering,
        factorial.teacher_scheduling,
        factorial.standard,
    )
    too_few = "fewer than two seeds that all four arms have"
    test = _test(checked, four, lambda *y: interaction(*y).mean(axis=1), too_few)
    return Comparison(series.benchmark, series.name, INTERACTION, "", **test)


def _test(checked: Outcomes, arms: Sequence[str], per_seed: Callable[..., FloatArray], too_few: str) -> dict[str, Any]:
    """The paired t of `per_seed(y of each arm)`, over the seeds that all `arms` have."""
    seeds = complete_seeds(checked, arms)
    row = {"seeds": len(seeds), "items": len(checked.items), "p_adjusted": NAN}
    if len(seeds) < 2:
        return {**row, "difference": NAN, "low": NAN, "high": NAN, "p": NAN, "method": too_few}
    test = paired_t(per_seed(*(outcome_array(checked, arm, seeds) for arm in arms)))
    return {
        **row,
        "difference": test.difference,
        "low": test.low,
        "high": test.high,
        "p": test.p,
        "method": f"{METHOD}: {test.note}" if test.note else METHOD,
    }


def _corrected(block: list[Comparison], family: Sequence[str]) -> list[Comparison]:
    """The rows of one benchmark and metric, with `p_adjusted` for those in the family."""
    p_values = {row.arm: row.p for row in block}
    adjusted = holm([p_values[arm] for arm in family])
    by_arm = dict(zip(family, adjusted.tolist(), strict=True))
    return [row._replace(p_adjusted=by_arm.get(row.arm, NAN)) for row in block]
