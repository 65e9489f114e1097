"""`clpd report` writes tables, figures and pages from the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clpd_bench.cli.options import DEFAULT_STORE, Sets, StoreDir, open_plan, open_store
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan, PointPlan
from clpd_bench.results.published import FOLDER, Published, asked_for, read_published
from clpd_bench.store import Store


def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="One or several ablation files (YAML).")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report. By default, reports/NAME of the ablation.")
    ] = None,
    power: Annotated[
        bool,
        typer.Option("--power", help="Also write power.md: what the seeds can find, and what more seeds would cost."),
    ] = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE_OR_FOLDER",
            help=f"Published numbers to show beside ours: a CSV file, or a folder of NAME.csv. By default, {FOLDER}.",
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print secondary results too.")] = False,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with another ablation, or with this one, cell by cell.")
    ] = None,
    compare_store: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The other side's store. By default, the same store.")
    ] = None,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Write the report from the store alone: report.html, tables (md, csv, tex), figures, items.parquet.

    The primary result is in table.md, which is printed. The other results are in secondary.md.

    With axes, each point of the grid has such a report in a folder of its own. Above them are axes.md,
    axes_secondary.md and axes.csv, which show all points together, and a figure of each axis.

    With several files, each file's report is in a folder of its own below reports/A+B. Above them is one table, with a
    row for each arm and columns for the benchmarks of each student (table.md, table.tex, table.csv).

    Published numbers (columns system, benchmark, metric, value, spread, source) are shown beside ours in every table,
    with the difference and whether ours is compatible. reports/reference/README.md says how to add them.

    With --compare, only compare.md and compare.csv are written: the scores of two ablations cell by cell, how they
    differ, and the cells that only one has. The two may be one ablation in two stores (--compare-store). In one store,
    they may be an ablation as it is now, and as earlier settings or code made it.
    """
    if compare is not None or compare_store is not None:
        extras = power or everything or reference is not None
        _compare(files, compare, out, extras, sets, open_store(store), compare_store)
        return
    if len(files) > 1:
        if power:
            raise UserError("--power is about one ablation", fix=f"clpd report {files[0]} --power, and so on")
        _report_several([open_plan(file, sets) for file in files], out, reference, everything, open_store(store))
        return
    points, planned = open_plan(files[0], sets)
    published = asked_for(reference, planned.name) if reference else read_published(FOLDER, planned.name)
    folder = out or Path("reports") / planned.name
    if any(one.point.coordinates for one in points):
        _report_points(points, planned, folder, published, power, everything, open_store(store))
    else:
        _report_one(points[0], planned, folder, published, power, everything, open_store(store))


def _compare(
    files: list[Path],
    compare: Path | None,
    out: Path | None,
    extras: bool,
    sets: list[str] | None,
    store: Store,
    compare_store: Path | None,
) -> None:
    from clpd_bench.report.compared import write_comparison

    if compare is None:
        raise UserError("--compare-store says where, and not what", fix="Add --compare FILE; it may be the same file")
    if len(files) > 1 or extras:
        raise UserError("--compare goes with one FILE, and with none of --power, --all and --reference")
    first, second = open_plan(files[0], sets)[1], open_plan(compare, sets)[1]
    other = open_store(compare_store) if compare_store else store
    written = write_comparison(first, store, second, other, out or Path("reports") / first.name)
    print(written[0].read_text())
    print(f"Written to {written[0]}, and each cell to {written[1]}.")


def _report_one(
    one: PointPlan,
    planned: Plan,
    folder: Path,
    published: list[Published],
    power: bool,
    everything: bool,
    store: Store,
) -> None:
    from clpd_bench.report.report import write_report

    written = write_report(one.point.ablation, planned, store, folder, published)
    print(written.files[0].read_text())
    if everything and written.secondary:
        print(written.secondary.read_text())
    _write_power(planned, store, {folder: one}, power)
    rest = "" if everything or not written.secondary else f" Secondary results: --all, or {written.secondary}."
    print(f"{len(written.files)} files in {folder}; the page to open is {written.page}.{rest}")


def _report_points(
    points: list[PointPlan],
    planned: Plan,
    folder: Path,
    published: list[Published],
    power: bool,
    everything: bool,
    store: Store,
) -> None:
    from clpd_bench.report.several.points import write_reports

    written = write_reports(points, store, folder, published)
    print(written.axes.read_text())
    if everything:
        print(written.secondary.read_text())
    pages = [one.report.page for one in written.groups]
    _write_power(planned, store, {one.report.page.parent: one.point for one in written.groups}, power)
    print(f"{len(pages)} of {len(points)} points have a page:", *pages, sep="\n")


def _report_several(
    opened: list[tuple[list[PointPlan], Plan]], out: Path | None, reference: Path | None, everything: bool, store: Store
) -> None:
    from clpd_bench.report.several.groups import OneFile
    from clpd_bench.report.several.write import write_several

    if reference is not None and not reference.is_dir():
        raise UserError("of several ablations, --reference names a folder of NAME.csv", found=str(reference))
    place = reference or FOLDER
    files = [OneFile(points, plan, read_published(place, plan.name)) for points, plan in opened]
    if reference is not None and not any(one.published for one in files):
        wanted = [f"{one.plan.name}.csv" for one in files]
        raise UserError("holds published numbers of none of these ablations", file=reference, allowed=wanted)
    folder = out or Path("reports") / "+".join(one.plan.name for one in files)
    written = write_several(files, store, folder)
    print(written.files[0].read_text())
    if everything and written.secondary:
        print(written.secondary.read_text())
    rest = "" if everything or not written.secondary else f" Secondary results: --all, or {written.secondary}."
    print(f"The table of all is in {folder}, each ablation's own report below it; the page is {written.page}.{rest}")


def _write_power(planned: Plan, store: Store, points: dict[Path, PointPlan], wanted: bool) -> None:
    """Into the folders of reports; where it is not wanted, an older report's is removed."""
    from clpd_bench.costs.hours import seed_cost
    from clpd_bench.report.power import remove_power, write_power

    cost = seed_cost(planned, store) if wanted else None
    for folder, one in points.items():
        if wanted:
            print(write_power(one, store, folder, vars(cost) if cost else None)[0].read_text())
        else:
            remove_power(folder)
