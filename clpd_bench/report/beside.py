"""Published numbers set beside ours: which row of which table, the difference, and whether ours is compatible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from clpd_bench.analysis.compatibility import Compatibility, compatibility
from clpd_bench.analysis.series import Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.errors import UserError
from clpd_bench.results.published import Published
from clpd_bench.settings.parts.evaluation import STRICT, STRICT_MATCH
from clpd_bench.tables.rounding import UNITS, Unit, decimals, p_value

COLUMNS = ["published", "ours - published", "compatible"]
"""Of `beside_cells`."""


class Beside(NamedTuple):
    """A published number and ours, in the metric's own unit; the columns of table.csv that it makes.

    Attributes:
        published, published_sd, published_seeds: nan where it was not said.
        ours_minus_published: of the means.
        compatible: `compatible`, `not compatible` or `not testable`.
        compatible_by: by which test or interval, with its numbers in the unit of the tables; or why not.
        source: where it was published.
    """

    published: float
    published_sd: float
    published_seeds: float
    ours_minus_published: float
    compatible: str
    compatible_by: str
    source: str


Measured = tuple[str, str, str]
"""The name of an arm or reference, a benchmark, a metric as the tables name it."""


def set_beside(
    published: Sequence[Published],
    found: Sequence[Summary],
    series: Sequence[Series],
    names: Sequence[str],
    alpha: float,
) -> tuple[dict[Measured, Beside], list[str]]:
    """What stands beside which of our means, and a sentence for each published number that stands nowhere.

    Args:
        found: our means.
        names: of arms and references, whether or not there are outcomes of them.
    """
    ours = {(one.arm, one.benchmark, one.metric): one for one in found}
    out: dict[Measured, Beside] = {}
    absent: list[str] = []
    for one in published:
        mine = [s for s in series if (s.benchmark, s.metric) == (one.benchmark, one.metric)]
        fitting = [s for s in mine if one.filter in (None, s.filter)]
        if one.point not in (None, "base"):
            absent.append(_absent(one, f"this ablation has no point {one.point}"))
        elif one.system not in names:
            absent.append(_absent(one, "no arm and no reference is called so", one.system, names))
        elif not mine:
            there = list(dict.fromkeys(f"{s.benchmark} {s.metric}" for s in series))
            absent.append(_absent(one, "there are no outcomes on that", f"{one.benchmark} {one.metric}", there))
        elif one.filter == STRICT and any(s.filter == STRICT for s in mine):
            why = f"{STRICT} is this suite's own grammar; published strict numbers are under lm-eval's {STRICT_MATCH}"
            absent.append(_absent(one, why, one.filter, [s.filter for s in mine if s.filter != STRICT]))
        elif len(fitting) != 1:
            filters = [s.filter for s in mine]
            what = (
                "several filters have it, and `filter` names none" if one.filter is None else "no filter is called so"
            )
            absent.append(_absent(one, what, one.filter, filters))
        elif (mean := ours.get((one.system, one.benchmark, fitting[0].name))) is None:
            absent.append(_absent(one, f"{one.system} has no outcomes on that yet"))
        elif (one.system, one.benchmark, fitting[0].name) in out:
            absent.append(_absent(one, "another line of the file stands beside the same number of ours"))
        else:
            out[one.system, one.benchmark, fitting[0].name] = _beside(one, mean, alpha)
    return out, absent


def _absent(one: Published, why: str, found: str | None = None, allowed: Sequence[str] | None = None) -> str:
    return f"{one}: {UserError(why, found=found, allowed=allowed)}"


def _beside(one: Published, ours: Summary, alpha: float) -> Beside:
    unit = UNITS[one.metric]
    value, sd = one.value / unit.scale, None if one.spread is None else one.spread / unit.scale
    answer = compatibility(ours, one.metric, value, sd, one.seeds, alpha)
    return Beside(
        value,
        math.nan if sd is None else sd,
        math.nan if one.seeds is None else one.seeds,
        ours.mean - value,
        answer.word,
        _by(answer, unit),
        one.source,
    )


def _by(answer: Compatibility, unit: Unit) -> str:
    if not math.isnan(answer.p):
        return f"{answer.by}, {p_value(answer.p)}"
    if math.isnan(answer.low):
        return answer.by
    low, high = answer.low * unit.scale, answer.high * unit.scale
    places = decimals((high - low) / 2, unit.decimals)
    return f"{answer.by} [{low:z.{places}f}, {high:z.{places}f}]"


def beside_cells(one: Beside | None, unit: Unit) -> list[str]:
    """`46.3 ± 1.2`, `-0.8`, `compatible (Welch's t over seeds, p = .41)`; empty where nothing is published."""
    if one is None:
        return ["", "", ""]
    return [published_text(one, unit), difference_text(one, unit), f"{one.compatible} ({one.compatible_by})"]


def published_text(one: Beside, unit: Unit) -> str:
    """As it was written, less zeros at its end."""
    spread = "" if math.isnan(one.published_sd) else f" ± {one.published_sd * unit.scale:.6g}"
    return f"{one.published * unit.scale:.6g}{spread}"


def difference_text(one: Beside, unit: Unit) -> str:
    return f"{one.ours_minus_published * unit.scale:+z.{unit.decimals}f}"
