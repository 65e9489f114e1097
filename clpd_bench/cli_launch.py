"""`clpd launch`: a plan as Slurm jobs."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from clpd_bench.cli_options import DEFAULT_STORE, File, Json, Sets, StoreDir, console, open_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.whole import PointPlan
from clpd_bench.store import Owner, Store

if TYPE_CHECKING:
    from clpd_bench.launch.slurm.cluster import Cluster
    from clpd_bench.launch.slurm.limits import Limits
    from clpd_bench.launch.slurm.site import Site

SiteFile = Annotated[
    Path,
    typer.Option(
        "--site", envvar="CLPD_SITE", metavar="SITE", help="What your cluster wants (YAML); examples lie in slurm/."
    ),
]


def launch(
    file: File,
    site: SiteFile,
    check: Annotated[bool, typer.Option("--check", help="Only say what would fail or pend for ever.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what sbatch would be asked for, how long, how much disk.")
    ] = False,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Submit all that is left to do as Slurm jobs, and exit: nothing has to stay alive where you type this.

    Launching again is always safe: what is done or alive in Slurm is left alone, what was lost is submitted anew
    and goes on from its checkpoints. First it says what would fail (--check does no more).
    """
    from clpd_bench.launch.prepare import check_data, data_exists, make_data
    from clpd_bench.launch.slurm import queue
    from clpd_bench.launch.slurm.launch_text import print_prepared
    from clpd_bench.launch.slurm.site import load_site
    from clpd_bench.launch.slurm.submit import submit
    from clpd_bench.reporting.plan_summary import plan_summary

    wanted = load_site(site)
    points, planned = open_plan(file, sets)
    here = Store(store.resolve(), alive_slurm_jobs=queue.alive_ids())
    plan_summary(points, planned, set(), None)  # says what arms may not differ in, before any work
    will_make_data = not (check or dry_run or data_exists(planned, here))
    cluster = _checked(wanted, planned, here, check, as_json, warn=not will_make_data)
    if check:
        return
    if dry_run:
        _dry_run(wanted, site, planned, here, cluster, as_json)
        return
    if will_make_data:
        print("making the corpora ...", file=sys.stderr)
        make_data(planned, here)
        _checked(wanted, planned, here, False, as_json)  # how much will be written is known only now
    _declare(points, here, check_data)
    here.write_plan(planned.to_json())

    def waits(owner: Owner | None) -> None:
        who = f"{owner.host}, process {owner.pid}, since {owner.since}" if owner else "somebody"
        print(f"another launch is submitting ({who}); waiting for it ...", file=sys.stderr)

    with _bar() as progress:
        done = submit(planned, wanted, site, here, lambda: _limits(wanted, planned, cluster), waits, progress)
    if as_json:
        print(json.dumps(done.to_json() if done else {"launch": None}, indent=2))
    elif all(here.is_done(key) for key in planned.jobs):
        print(f"nothing to submit: everything is done\nNext: clpd report {shlex.quote(str(file))}")
    else:
        if done is None:
            print("nothing to submit: what is not done is in Slurm's queue, or somebody is at it")
        else:
            print_prepared(planned, done.prepared, wanted, done.jobs, console())
        print(f"Next: clpd status {shlex.quote(str(file))} --watch")


def _declare(points: list[PointPlan], store: Store, check_data: Callable[..., Any]) -> None:
    for one in points:
        check_data(one.point.ablation, one.plan, store)
        store.declare(one.plan.declaration)


def _checked(site: Site, plan: Plan, store: Store, alone: bool, as_json: bool, warn: bool = True) -> Cluster:
    """The cluster's own words, once nothing is in the way; what is, is printed."""
    from clpd_bench.launch.slurm.cluster import ask_cluster
    from clpd_bench.launch.slurm.preflight import preflight, print_findings
    from clpd_bench.launch.slurm.submit import profiles

    asked: list[Cluster] = []

    def ask() -> Cluster:
        asked.append(ask_cluster())
        return asked[0]

    todo = {key for key in plan.jobs if not store.is_done(key)}
    findings = preflight(site, profiles(plan, site), plan, todo, store, ask)
    fatal = any(finding.level == "fatal" for finding in findings)
    if alone and as_json:
        print(json.dumps({"findings": [vars(finding) for finding in findings]}, indent=2))
    elif alone:
        print_findings(findings, console())
    elif fatal or (warn and findings):
        print_findings(findings, Console(stderr=True, soft_wrap=True))
    if fatal:
        raise typer.Exit(2)
    return asked[0]


def _limits(site: Site, plan: Plan, cluster: Cluster) -> Limits:
    from clpd_bench.launch.slurm.cluster import limits
    from clpd_bench.launch.slurm.submit import profiles

    profile = profiles(plan, site)
    return limits(site, {profile(key) for key in plan.jobs}, cluster)


def _dry_run(site: Site, site_file: Path, plan: Plan, store: Store, cluster: Cluster, as_json: bool) -> None:
    from clpd_bench.launch.footprint import footprint
    from clpd_bench.launch.slurm import queue, records
    from clpd_bench.launch.slurm.launch_text import print_options, print_prepared
    from clpd_bench.launch.slurm.submit import options_by_profile, prepare

    waiting = records.queued(store.root, queue.tasks(records.users(store.root)))
    prepared = prepare(plan, site, _limits(site, plan, cluster), store, waiting)
    options = options_by_profile(plan, site, site_file, store, prepared)
    needed = footprint(plan, {key for batch in prepared.batches for key in batch.keys}, store)
    if as_json:
        disk = {"bytes": needed.bytes, "files": needed.files, "unknown": needed.unknown}
        print(json.dumps({**prepared.to_json([]), "sbatch": options, "disk": disk}, indent=2))
        return
    print_prepared(plan, prepared, site, [], console())
    unknown = f", without {len(needed.unknown)} jobs whose corpora are not made yet" if needed.unknown else ""
    print(f"disk: about {needed.bytes / 1e9:,.2f} GB in {needed.files:,} files{unknown}")
    print_options(options, console())
    print("\nNothing was submitted.")


class _bar:
    """A progress bar over the arrays, on a terminal."""

    def __enter__(self) -> Callable[[int, int], None]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("submitting"), BarColumn(), MofNCompleteColumn(), TextColumn("arrays"))
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress.start()
        task = self._progress.add_task("submitting", total=None)
        return lambda done, of: self._progress.update(task, completed=done, total=of)

    def __exit__(self, *error: object) -> None:
        self._progress.stop()
