"""The reports of a grid: one a point, and axes.md, in which the points stand together."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from clpd_bench.analysis.series import METRICS
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import PointPlan
from clpd_bench.report.beside import COLUMNS as PUBLISHED
from clpd_bench.report.beside import Beside, beside_cells
from clpd_bench.report.explanations import SECONDARY
from clpd_bench.report.figures.draw import saved
from clpd_bench.report.figures.style import NothingToDraw, styled
from clpd_bench.report.figures.sweep import sweep
from clpd_bench.report.markdown import bullets
from clpd_bench.report.report import Report, write_report
from clpd_bench.report.rows import is_primary
from clpd_bench.report.verdict import CORRECTION
from clpd_bench.report.write import write_files
from clpd_bench.results.published import Published, of_point
from clpd_bench.results.standing import with_beside
from clpd_bench.results.sweeps import sweeps
from clpd_bench.store import Store
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.rounding import UNITS, difference, mean_and_sd, p_value
from clpd_bench.tables.table import table as plain_table

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
        blocks.append(markdown(plain_table([*HEADER, *(PUBLISHED if published else [])], lines)))
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


COLUMNS = ["seeds", "mean", "sd", "difference", "low", "high", "p", "p_adjusted", "standing", "beside"]
SWEEP = "axes_"
"""What the names of the figures over axes begin with."""
WHICH = ["arm", "benchmark", "metric"]


class PointReports(NamedTuple):
    """Attributes:
    axes, secondary: axes.md and axes_secondary.md.
    reports: those of the points that have outcomes, by the points' labels.
    """

    axes: Path
    secondary: Path
    reports: dict[str, Report]


def write_reports(
    points: list[PointPlan], store: Store, out: Path, published: Sequence[Published] = ()
) -> PointReports:
    """A complete report of each evaluated point in a folder of its own, then axes.md (the primary result),
    axes_secondary.md, axes.csv (everything), and axes_<key>.pdf and .png, the primary result over each axis.

    Args:
        published: numbers to set beside ours, at the points that they are of.

    Raises:
        UserError: nothing has been evaluated at any point, or outcomes cannot be compared.
    """
    reports, by_label = dict[str, Report](), dict[str, Report]()
    absent: list[str] = []
    for one in points:
        name = folder_name(one.point.label)
        if _evaluated(one, store):
            report = write_report(one.point.ablation, one.plan, store, out / name, of_point(published, name))
            reports[name] = by_label[one.point.label] = report
        else:
            absent.append(f"Nothing has been evaluated yet at {name}.")
        absent += [f"{name}: {sentence}" for sentence in (reports[name].missing if name in reports else [])]
    if not reports:
        file = points[0].plan.file
        raise UserError("nothing has been evaluated yet", file=file, fix=f"Run it first: clpd run {file}")
    figures, undrawn = _sweep_figures(points, by_label)
    absent += undrawn
    made = [_rows(one, reports) for one in points if folder_name(one.point.label) in reports]
    names = [folder_name(one.point.label) for one in points]
    not_shown = [
        f"Not shown: {one}: {UserError('no point is called so', found=one.point, allowed=names)}"
        for one in published
        if one.point not in (None, *names)
    ]
    not_shown += [f"{name}, not shown: {sentence}" for name, one in reports.items() for sentence in one.rows.not_shown]
    table, is_primary = pd.concat([rows for rows, _ in made]), pd.concat([which for _, which in made])
    warnings = [f"{name}: {sentence}" for name, one in reports.items() for sentence in one.context.warnings]
    caveats = {name: one.context.caveats for name, one in reports.items()}
    said = (warnings, caveats, absent, not_shown)
    texts = {
        "axes.md": points_markdown(points[0], table[is_primary], *said, secondary=False),
        "axes_secondary.md": points_markdown(points[0], table[~is_primary], *said, secondary=True),
        "axes.csv": table.to_csv(index=False, lineterminator="\n"),
    }
    older = [file.name for kind in ("pdf", "png") for file in out.glob(f"{SWEEP}*.{kind}")]
    contents = {**{name: text.encode() for name, text in texts.items()}, **figures}
    files = write_files(contents, out, stale=older)
    return PointReports(files[0], files[1], by_label)


def _sweep_figures(points: list[PointPlan], reports: dict[str, Report]) -> tuple[dict[str, bytes], list[str]]:
    """{name: content} of the figures over axes, and a sentence for each that could not be drawn."""
    primary = {
        label: one.rows.series[0] for label, one in reports.items() if is_primary(one.rows.series[0], one.context)
    }
    if not primary:
        return {}, ["Axes are not drawn: no point has outcomes on the primary result."]
    scores = {label: reports[label].scores[series] for label, series in primary.items()}
    files: dict[str, bytes] = {}
    absent = []
    for one in sweeps(points, scores):
        try:
            with styled():
                figure = sweep(one, next(iter(primary.values())), list(points[0].point.ablation.arms))
                _, pdf, png = saved(figure)
        except NothingToDraw as reason:
            absent.append(str(reason))
            continue
        files |= {f"{SWEEP}{one.name}.pdf": pdf, f"{SWEEP}{one.name}.png": png}
    return files, absent


def folder_name(label: str) -> str:
    """`strength=0.6,epochs=4`, or `base`."""
    return re.sub(r"[^\w=.,:+-]", "_", label.strip("[]")) or "base"


def _evaluated(one: PointPlan, store: Store) -> bool:
    return any(store.is_done(key) for cell in one.plan.cells for key in cell.evaluations.values())


def _rows(one: PointPlan, reports: dict[str, Report]) -> tuple[pd.DataFrame, pd.Series[bool]]:
    """The arms, and the interaction, of a point: on each benchmark and metric, the primary one first; and which
    rows are of the primary one."""
    name = folder_name(one.point.label)
    report, arms = reports[name], list(one.point.ablation.arms)
    means = report.means[report.means["kind"] == "arm"]
    tests = report.comparisons.drop(columns=["items", "baseline", "method"])
    table = means.drop(columns=["kind", "items"]).merge(tests, on=WHICH, how="outer", suffixes=("", "_tested"))
    published = [name for name in Beside._fields if name in table]
    table["seeds"] = table["seeds"].fillna(table["seeds_tested"]).astype(int)
    order = sorted(
        table.index,
        key=lambda i: (
            (table["benchmark"][i], table["metric"][i]) != report.primary,
            table["benchmark"][i],
            table["metric"][i],
            arms.index(table["arm"][i]) if table["arm"][i] in arms else len(arms),
        ),
    )
    ordered = table.loc[order].assign(point=name)[["point", *WHICH, *COLUMNS, *published]]
    return ordered, (ordered["benchmark"] == report.primary[0]) & (ordered["metric"] == report.primary[1])
