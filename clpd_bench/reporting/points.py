"""The reports of a grid: one a point, and a table in which the points stand together."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from clpd_bench.errors import UserError
from clpd_bench.plan.whole import PointPlan
from clpd_bench.reporting.points_markdown import points_markdown
from clpd_bench.reporting.report import Report, write_report
from clpd_bench.reporting.write import write_files
from clpd_bench.store import Store

COLUMNS = ["seeds", "mean", "sd", "difference", "low", "high", "p", "p_adjusted", "standing"]
WHICH = ["arm", "benchmark", "metric"]


def write_reports(points: list[PointPlan], store: Store, out: Path) -> tuple[Path, Path, list[Path]]:
    """A complete report of each evaluated point in a folder of its own, then axes.md (the primary result),
    axes_secondary.md and axes.csv (everything).

    Returns:
        axes.md, axes_secondary.md, and the pages of the points.

    Raises:
        UserError: nothing has been evaluated at any point, or outcomes cannot be compared.
    """
    reports: dict[str, Report] = {}
    absent: list[str] = []
    for one in points:
        name = folder_name(one.point.label)
        if _evaluated(one, store):
            reports[name] = write_report(one.point.ablation, one.plan, store, out / name)
        else:
            absent.append(f"Nothing has been evaluated yet at {name}.")
        absent += [f"{name}: {sentence}" for sentence in (reports[name].missing if name in reports else [])]
    if not reports:
        file = points[0].plan.file
        raise UserError("nothing has been evaluated yet", file=file, fix=f"Run it first: clpd run {file}")
    made = [_rows(one, reports) for one in points if folder_name(one.point.label) in reports]
    table, is_primary = pd.concat([rows for rows, _ in made]), pd.concat([which for _, which in made])
    texts = {
        "axes.md": points_markdown(points[0], table[is_primary], absent, secondary=False),
        "axes_secondary.md": points_markdown(points[0], table[~is_primary], absent, secondary=True),
        "axes.csv": table.to_csv(index=False, lineterminator="\n"),
    }
    files = write_files({name: text.encode() for name, text in texts.items()}, out)
    return files[0], files[1], [report.page for report in reports.values()]


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
    ordered = table.loc[order].assign(point=name)[["point", *WHICH, *COLUMNS]]
    return ordered, (ordered["benchmark"] == report.primary[0]) & (ordered["metric"] == report.primary[1])
