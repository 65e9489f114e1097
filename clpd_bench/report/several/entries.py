"""The scores of several comparisons as one list, from which their tables and files of numbers are made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.series import MACRO_AVERAGE, REFERENCE, Series
from clpd_bench.report.beside import Beside
from clpd_bench.report.rows import ScoreRow, is_primary, is_tested
from clpd_bench.report.several.groups import Group
from clpd_bench.results.standing import Standing
from clpd_bench.settings.parts.metrics import lower_is_better


@dataclass(frozen=True)
class Entry:
    """A row of a group's own tables, on one series.

    Attributes:
        kind: `arm`, as the interaction is one, too, or REFERENCE.
        mean, sd: over seeds, in the metric's own unit; the mean nan of the interaction, the sd of a single seed.
        test: against the baseline of its group, and `standing` of it; None of the baseline itself and of references.
        best: whether it has the best mean of the group's arms; False where none is better than another.
    """

    group: Group
    kind: str
    name: str
    series: Series
    items: int
    mean: float
    sd: float
    seeds: int
    test: Comparison | None
    standing: Standing | None
    published: Beside | None
    best: bool = False

    @property
    def is_primary(self) -> bool:
        return is_primary(self.series, self.group.report.context)

    @property
    def is_significant(self) -> bool:
        alpha = self.group.report.context.declaration.alpha
        return self.test is not None and is_tested(self.test) and self.test.p_adjusted <= alpha


def entries(groups: Sequence[Group]) -> list[Entry]:
    """Of every group, series by series as its report has them: the arms, the interaction, the references."""
    return [one for group in groups for place in range(len(group.report.rows.series)) for one in _on(place, group)]


def _on(place: int, group: Group) -> list[Entry]:
    rows = group.report.rows
    kinds = [("arm", row) for row in rows.compared] + [(REFERENCE, row) for row in rows.references]
    found = [entry for kind, row in kinds if (entry := _entry(group, place, kind, row)) is not None]
    means = {one.mean for one in found if one.kind == "arm" and not math.isnan(one.mean)}
    choose = min if lower_is_better(rows.series[place].metric) else max
    best = choose(means) if len(means) > 1 else math.nan
    return [replace(one, best=one.kind == "arm" and one.mean == best) for one in found]


def _entry(group: Group, place: int, kind: str, row: ScoreRow) -> Entry | None:
    """None where there is neither a mean nor a test."""
    rows, summary, test = group.report.rows, row.means[place], row.tests[place]
    series = rows.series[place]
    mean, sd, seeds = (summary.mean, summary.sd, summary.seeds) if summary else (math.nan, math.nan, 0)
    if series.benchmark == MACRO_AVERAGE:
        mean, sd, seeds = _average(group, series, kind, row.name)
    if math.isnan(mean) and test is None:
        return None
    standing = group.report.context.standings.of(test) if test else None
    seeds = seeds or (test.seeds if test else 0)
    published = row.published[place]
    return Entry(group, kind, row.name, series, rows.items[place], mean, sd, seeds, test, standing, published)


def _average(group: Group, series: Series, kind: str, name: str) -> tuple[float, float, int]:
    """Mean, sd and number of seeds of the unweighted mean over benchmarks, at the seeds that all of them have."""
    scores = [of.get((kind, name), {}) for one, of in group.report.scores.items() if one.name == series.name]
    seeds = set.intersection(*(set(one) for one in scores))
    values = [float(np.mean([one[seed] for one in scores])) for seed in sorted(seeds)]
    if not values:
        return math.nan, math.nan, 0
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.nan, len(values)


TESTED = ["baseline", "difference", "low", "high", "p", "p_adjusted"]
"""`low` and `high` the difference's unadjusted 95% interval; `p_adjusted` within the group's family, empty outside."""


def frame(of: Sequence[Entry]) -> pd.DataFrame:
    """A line an entry, in the metrics' own units; empty fields are what it does not have."""
    return pd.DataFrame([_fields(one) for one in of])


def _fields(one: Entry) -> dict[str, object]:
    nothing = dict.fromkeys(Beside._fields)
    return {
        "point": one.group.folder,
        "student": one.group.student,
        "ablation": one.group.part,
        "kind": one.kind,
        "arm": one.name,
        "benchmark": one.series.benchmark,
        "metric": one.series.name,
        "primary": one.is_primary,
        "seeds": one.seeds,
        "mean": one.mean,
        "sd": one.sd,
        "best": one.best,
        **{name: getattr(one.test, name) if one.test else None for name in TESTED},
        "significant": one.is_significant,
        "standing": one.standing.word if one.standing else "",
        "beside": one.standing.beside if one.standing else "",
        **(one.published._asdict() if one.published else nothing),
    }
