"""`clpd report`: tables, figures and pages from the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clpd_bench.cli_options import DEFAULT_STORE, File, Sets, StoreDir, open_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.whole import PointPlan
from clpd_bench.store import Store


def report(
    file: File,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report; reports/NAME of the ablation by default.")
    ] = None,
    power: Annotated[
        bool, typer.Option("--power", help="Also what the seeds can find, and what more would cost: power.md.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Print secondary results, too.")] = False,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Write the report from the store alone: report.html, tables (md, csv, tex), figures, items.parquet.

    The primary result is in table.md, which is printed, and the others are in secondary.md.

    With axes: one such report a point of the grid, each in a folder of its own, and above them axes.md,
    axes_secondary.md and axes.csv, in which they stand together.
    """
    points, planned = open_plan(file, sets)
    folder = out or Path("reports") / planned.name
    if any(one.point.coordinates for one in points):
        from clpd_bench.reporting.points import folder_name, write_reports

        by_folder = {folder / folder_name(one.point.label): one for one in points}
        table, secondary, pages = write_reports(points, Store(store), folder)
        print(table.read_text())
        if everything:
            print(secondary.read_text())
        _write_power(planned, Store(store), {page.parent: by_folder[page.parent] for page in pages}, power)
        print(f"{len(pages)} of {len(points)} points have a page:", *pages, sep="\n")
        return
    from clpd_bench.reporting.report import write_report

    written = write_report(points[0].point.ablation, planned, Store(store), folder)
    print(written.files[0].read_text())
    if everything and written.secondary:
        print(written.secondary.read_text())
    _write_power(planned, Store(store), {folder: points[0]}, power)
    rest = "" if everything or not written.secondary else f" Secondary results: --all, or {written.secondary}."
    print(f"{len(written.files)} files in {folder}; the page to open is {written.page}.{rest}")


def _write_power(planned: Plan, store: Store, points: dict[Path, PointPlan], wanted: bool) -> None:
    """Into the folders of reports; where it is not wanted, an older report's is removed."""
    from clpd_bench.launch.seed_cost import seed_cost
    from clpd_bench.reporting.power_report import remove_power, write_power

    cost = seed_cost(planned, store) if wanted else None
    for folder, one in points.items():
        if wanted:
            print(write_power(one, store, folder, vars(cost) if cost else None)[0].read_text())
        else:
            remove_power(folder)
