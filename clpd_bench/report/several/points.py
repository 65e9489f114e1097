"""The reports of a grid: one a point, and axes.md, in which the points stand together."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
from clpd_bench.report.report import write_report
from clpd_bench.report.rows import is_primary
from clpd_bench.report.several.entries import Entry, entries, frame
from clpd_bench.report.several.groups import Group, student_name
from clpd_bench.report.verdict import CORRECTION
from clpd_bench.report.write import write_files
from clpd_bench.results.published import Published, of_point
from clpd_bench.results.sweeps import sweeps
from clpd_bench.store import Store
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.rounding import UNITS, Unit, difference, mean_and_sd, p_value
from clpd_bench.tables.table import table

HEADER = ["point", "arm", "seeds", "mean ± sd", "difference [95% interval]", "p", "p corrected", "standing"]
COLUMNS = [
    *("point", "arm", "benchmark", "metric", "seeds", "mean", "sd"),
    *("difference", "low", "high", "p", "p_adjusted", "standing", "beside"),
]
"""Of axes.csv, and the fields of Beside where anything was published."""
SWEEP = "axes_"
"""What the names of the figures over axes begin with."""


@dataclass(frozen=True)
class PointReports:
    """Attributes:
    axes, secondary: axes.md and axes_secondary.md.
    groups: the points that have outcomes.
    """

    axes: Path
    secondary: Path
    groups: list[Group]


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
    groups: list[Group] = []
    absent: list[str] = []
    for one in points:
        name = folder_name(one.point.label)
        if not _evaluated(one, store):
            absent.append(f"Nothing has been evaluated yet at {name}.")
            continue
        report = write_report(one.point.ablation, one.plan, store, out / name, of_point(published, name))
        groups.append(Group(student_name(one.point.ablation), name, one, report))
        absent += [f"{name}: {sentence}" for sentence in report.missing]
    if not groups:
        file = points[0].plan.file
        raise UserError("nothing has been evaluated yet", file=file, fix=f"Run it first: clpd run {file}")
    figures, undrawn = _sweep_figures(points, groups)
    absent += undrawn
    names = [folder_name(one.point.label) for one in points]
    not_shown = [
        f"Not shown: {one}: {UserError('no point is called so', found=one.point, allowed=names)}"
        for one in published
        if one.point not in (None, *names)
    ]
    not_shown += [f"{one.folder}, not shown: {said}" for one in groups for said in one.report.rows.not_shown]
    found = [one for one in _in_order(groups) if one.kind == "arm"]
    kept = [*COLUMNS, *(Beside._fields if any(one.published for one in found) else [])]
    texts = {
        "axes.md": _markdown(groups, [one for one in found if one.is_primary], absent, not_shown, secondary=False),
        "axes_secondary.md": _markdown(
            groups, [one for one in found if not one.is_primary], absent, not_shown, secondary=True
        ),
        "axes.csv": frame(found)[kept].to_csv(index=False, lineterminator="\n"),
    }
    older = [file.name for kind in ("pdf", "png") for file in out.glob(f"{SWEEP}*.{kind}")]
    contents = {**{name: text.encode() for name, text in texts.items()}, **figures}
    files = write_files(contents, out, stale=older)
    return PointReports(files[0], files[1], groups)


def _in_order(groups: Sequence[Group]) -> list[Entry]:
    """Of each point the primary benchmark and metric first, then by name."""

    def place(one: Entry) -> tuple[int, bool, str, str]:
        return groups.index(one.group), not one.is_primary, one.series.benchmark, one.series.name

    return sorted(entries(groups), key=place)


def _markdown(
    groups: Sequence[Group], found: Sequence[Entry], absent: list[str], not_shown: list[str], *, secondary: bool
) -> str:
    """The text of axes.md or axes_secondary.md.

    Args:
        found: what it is about.
        absent, not_shown: a sentence for each gap, and for each published number that stands nowhere.
    """
    plan, ablation = groups[0].point.plan, groups[0].point.point.ablation
    analysis, title = ablation.analysis, f"# {plan.name}: all points"
    blocks = [f"{title}, secondary results", SECONDARY] if secondary else [title, ablation.question]
    blocks += [f"**{one.folder}: {said}**" for one in groups for said in one.report.context.warnings]
    for benchmark, name in dict.fromkeys((one.series.benchmark, one.series.name) for one in found):
        mine = [one for one in found if (one.series.benchmark, one.series.name) == (benchmark, name)]
        metric, published = mine[0].series.metric, any(one.published for one in mine)
        blocks.append(f"## {benchmark} {name} ({UNITS[metric].mean}, {METRICS[metric]} is better)")
        lines = [
            [*_line(one, UNITS[metric]), *(beside_cells(one.published, UNITS[metric]) if published else [])]
            for one in mine
        ]
        blocks.append(markdown(table([*HEADER, *(PUBLISHED if published else [])], lines)))
    sentences = [
        f"Difference: arm - {analysis.baseline}, seed-paired, within the point. Intervals are unadjusted.",
        f"Family-wise correction ({CORRECTION[analysis.correction]} over {', '.join(analysis.family)}) is within a "
        "point, for each benchmark and metric: nothing is corrected for the number of points, so the best of many "
        "points is no confirmed result.",
        "Cells that are equal at several points are one student: those rows repeat one outcome.",
        *_caveats({one.folder: one.report.context.caveats for one in groups}),
        "Each point has its complete report in the folder of its name.",
    ]
    blocks += ["## How to read this", bullets(sentences)]
    if not_shown:
        blocks += ["## Published numbers that are not shown", bullets(not_shown)]
    blocks += ["## Missing", bullets(absent) if absent else "No cell is missing."]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _caveats(of_points: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each list of them, with the points that have it."""
    points_of: dict[str, list[str]] = {}
    for point, caveats in of_points.items():
        points_of.setdefault("; ".join(caveats), []).append(point)
    return [
        f"Found at {'every point' if len(points_of) == 1 else ', '.join(at)}: {said}."
        for said, at in points_of.items()
        if said
    ]


def _line(one: Entry, unit: Unit) -> list[str]:
    mean = "" if math.isnan(one.mean) else mean_and_sd(one.mean, one.sd, unit)
    names = [one.group.folder, one.name, str(one.seeds), mean]
    if one.test is None or math.isnan(one.test.difference):
        return [*names, "", "", "", ""]
    test = one.test
    shown = difference(test.difference, test.low, test.high, unit)
    p = ["" if math.isnan(value) else p_value(value).removeprefix("p = ") for value in (test.p, test.p_adjusted)]
    return [*names, f"{shown.difference} [{shown.low}, {shown.high}]", *p, str(one.standing)]


def _sweep_figures(points: list[PointPlan], groups: Sequence[Group]) -> tuple[dict[str, bytes], list[str]]:
    """{name: content} of the figures over axes, and a sentence for each that could not be drawn."""
    primary = {
        one.point.point.label: (one.report.rows.series[0], one.report.scores)
        for one in groups
        if is_primary(one.report.rows.series[0], one.report.context)
    }
    if not primary:
        return {}, ["Axes are not drawn: no point has outcomes on the primary result."]
    first, _ = next(iter(primary.values()))
    files: dict[str, bytes] = {}
    absent = []
    for one in sweeps(points, {label: scores[series] for label, (series, scores) in primary.items()}):
        try:
            with styled():
                _, pdf, png = saved(sweep(one, first, list(points[0].point.ablation.arms)))
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
