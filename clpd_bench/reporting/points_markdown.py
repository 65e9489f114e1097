"""axes.md: every point of a grid for a person to read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clpd_bench.analysis.metrics import METRICS
from clpd_bench.plan.whole import PointPlan
from clpd_bench.reporting.beside import COLUMNS as PUBLISHED
from clpd_bench.reporting.beside import Beside, beside_cells
from clpd_bench.reporting.explanations import SECONDARY
from clpd_bench.reporting.rounding import UNITS, difference, mean_and_sd, p_value
from clpd_bench.reporting.standing import with_beside
from clpd_bench.reporting.table_markdown import bullets, markdown_table
from clpd_bench.reporting.verdict import CORRECTION

HEADER = ["point", "arm", "seeds", "mean ± sd", "difference [95% interval]", "p", "p corrected", "standing"]


def points_markdown(
    first: PointPlan,
    table: pd.DataFrame,
    warnings: list[str],
    caveats: Mapping[str, Sequence[str]],
    absent: list[str],
    not_shown: list[str],
    *,
    secondary: bool,
) -> str:
    """The text of axes.md or axes_secondary.md; `table` the rows of axes.csv that it is about, `warnings` and `caveats`
    those of each point, `absent` a sentence for each gap, `not_shown` one for each published number that stands
    nowhere."""
    analysis = first.point.ablation.analysis
    title = f"# {first.plan.name}: all points"
    blocks = [f"{title}, secondary results", SECONDARY] if secondary else [title, first.point.ablation.question]
    blocks += [f"**{sentence}**" for sentence in warnings]
    rows = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    for benchmark, metric in dict.fromkeys((row["benchmark"], row["metric"]) for row in rows):
        unit, better = UNITS[_known(metric)].mean, METRICS[_known(metric)]
        blocks.append(f"## {benchmark} {metric} ({unit}, {better} is better)")
        mine = [row for row in rows if (row["benchmark"], row["metric"]) == (benchmark, metric)]
        published = any(isinstance(row.get("source"), str) for row in mine)
        lines = [[*_line(row), *(_published(row) if published else [])] for row in mine]
        blocks.append(markdown_table([*HEADER, *(PUBLISHED if published else [])], lines))
    sentences = [
        f"Difference: arm - {analysis.baseline}, seed-paired, within the point. Intervals are unadjusted.",
        f"Family-wise correction ({CORRECTION[analysis.correction]} over {', '.join(analysis.family)}) is within a "
        "point, for each benchmark and metric: nothing is corrected for the number of points, so the best of many "
        "points is no confirmed result.",
        "Cells that are equal at several points are one student: those rows repeat one outcome.",
        *_caveats(caveats),
        "Each point has its complete report in the folder of its name.",
    ]
    blocks += ["## How to read this", bullets(sentences)]
    if not_shown:
        blocks += ["## Published numbers that are not shown", bullets(not_shown)]
    blocks += ["## Missing", bullets(absent) if absent else "No cell is missing."]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _caveats(of_points: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each list of them, with the points that have it."""
    told: dict[str, list[str]] = {}
    for point, caveats in of_points.items():
        told.setdefault("; ".join(caveats), []).append(point)
    return [
        f"Found at {'every point' if len(told) == 1 else ', '.join(at)}: {said}." for said, at in told.items() if said
    ]


def _known(metric: str) -> str:
    """`exact_match` of `exact_match (strict)`."""
    return metric.split(" (")[0]


def _line(row: dict[str, Any]) -> list[str]:
    unit = UNITS[_known(row["metric"])]
    tested = not math.isnan(row["difference"])
    shown = difference(row["difference"], row["low"], row["high"], unit) if tested else None
    return [
        row["point"],
        row["arm"],
        str(row["seeds"]),
        "" if math.isnan(row["mean"]) else mean_and_sd(row["mean"], row["sd"], unit),
        f"{shown.difference} [{shown.low}, {shown.high}]" if shown else "",
        *("" if math.isnan(row[p]) else p_value(row[p]).removeprefix("p = ") for p in ("p", "p_adjusted")),
        with_beside(row["standing"], row["beside"]) if tested else "",
    ]


def _published(row: dict[str, Any]) -> list[str]:
    found = isinstance(row["source"], str)
    return beside_cells(
        Beside(*(row[name] for name in Beside._fields)) if found else None, UNITS[_known(row["metric"])]
    )
