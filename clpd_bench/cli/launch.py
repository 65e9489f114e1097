"""`clpd launch` submits a plan as Slurm jobs, and prints what was submitted, or would be."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from clpd_bench.cli.options import DEFAULT_STORE, File, Json, Sets, StoreDir, console, open_plan, open_store
from clpd_bench.cli.submit import checked, limits_of, submit_plan
from clpd_bench.tables.table import Column, table
from clpd_bench.tables.terminal import terminal

if TYPE_CHECKING:
    from clpd_bench.launch.slurm.batches import Batch
    from clpd_bench.launch.slurm.cluster import Cluster
    from clpd_bench.launch.slurm.site import Site
    from clpd_bench.launch.slurm.submit import Prepared
    from clpd_bench.plan.plan import Plan
    from clpd_bench.store import Store

SiteFile = Annotated[
    Path,
    typer.Option(
        "--site", envvar="CLPD_SITE", metavar="SITE", help="What your cluster wants (YAML); examples are in slurm/."
    ),
]


def launch(
    file: File,
    site: SiteFile,
    check: Annotated[bool, typer.Option("--check", help="Only say what would fail or pend for ever.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what sbatch would be asked for, the time and the disk space. Submit nothing."
        ),
    ] = False,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Submit the remaining jobs as Slurm jobs, and exit. Nothing has to stay alive where you type this.

    Launching again is always safe. Jobs that are done or alive in Slurm are left alone. Lost jobs are submitted again
    and continue from their checkpoints. The command first says what would fail; --check stops after that.
    """
    from clpd_bench.cli.plan_summary import plan_summary
    from clpd_bench.launch.fetch import require_pinned
    from clpd_bench.launch.prepare import declare
    from clpd_bench.launch.slurm.site import load_site

    wanted = load_site(site)
    points, planned = open_plan(file, sets)
    require_pinned(planned, sets)
    here = open_store(store.resolve())
    plan_summary(points, planned, set(), None)  # says what arms may not differ in, before any work
    if check or dry_run:
        cluster = checked(wanted, planned, here, check, as_json)
        if not check:
            _dry_run(wanted, site, planned, here, cluster, as_json)
        return

    done = submit_plan(planned, wanted, site, here, lambda: declare(points, here), as_json)
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


def _dry_run(site: Site, site_file: Path, plan: Plan, store: Store, cluster: Cluster, as_json: bool) -> None:
    from clpd_bench.costs.footprint import footprint
    from clpd_bench.launch.slurm import queue, records
    from clpd_bench.launch.slurm.submit import options_by_profile, prepare

    waiting = records.queued(store.root, queue.tasks(records.users(store.root)))
    prepared = prepare(plan, site, limits_of(site, plan, cluster), store, waiting)
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


def print_prepared(plan: Plan, prepared: Prepared, site: Site, jobs: list[str], console: Console) -> None:
    """A line an array: Slurm's number, where it runs, what it does, for what it waits, how long it may take."""
    rows = []
    numbers = {number: jobs[a] if jobs else f"#{a + 1}" for a, ms in enumerate(prepared.arrays) for number in ms}
    for a, members in enumerate(prepared.arrays):
        made = [prepared.batches[number] for number in members]
        after = {numbers[number] for batch in made for number in batch.after}
        after |= {prepared.slurm_ids[key] for batch in made for key in batch.outside}
        name = jobs[a] if jobs else f"#{a + 1}"
        waits = " ".join(sorted(after)) or "-"
        rows.append([name, made[0].profile, str(len(members)), what(plan, made), waits, estimated(made)])
    columns: list[str | Column] = ["array", "profile", Column("tasks", "right"), "what", "after", "estimated"]
    console.print(terminal(table(columns, rows)))
    console.print(total(prepared, site), markup=False)
    if prepared.slurm_ids:
        others = sorted(set(prepared.slurm_ids.values()))
        console.print(f"waits for jobs of other launches: {' '.join(others)}", markup=False)
    if prepared.failed:
        console.print(
            f"left out: {len(prepared.failed)} jobs that failed or were given up, and {len(prepared.held)} that need "
            f"them. Why: clpd status {plan.file} --failures; then clpd retry {plan.file} and launch again",
            markup=False,
        )


def print_options(options: dict[str, list[str]], console: Console) -> None:
    """What sbatch would be asked for, by profile."""
    for profile, asked in options.items():
        console.print(f"\nsbatch of profile {profile}, with --array and --dependency by array", markup=False)
        for option in asked:
            console.print(f"  {option}", markup=False, highlight=False)


def what(plan: Plan, made: list[Batch]) -> str:
    """`20 model, 20 evaluation`, or the label of a single job."""
    keys = [key for batch in made for key in batch.keys]
    if len(keys) == 1:
        return plan.jobs[keys[0]].label
    return ", ".join(f"{n} {kind}" for kind, n in Counter(plan.jobs[key].kind for key in keys).items())


def estimated(made: list[Batch]) -> str:
    from clpd_bench.launch.watch.hours import duration

    known = [batch.seconds for batch in made if batch.seconds is not None]
    return duration(sum(known) / 60) if len(known) == len(made) else "unknown"


def total(prepared: Prepared, site: Site) -> str:
    """Slurm jobs and hours in all, as far as they are known."""
    from clpd_bench.launch.watch.hours import duration

    made = prepared.batches
    known = [batch for batch in made if batch.seconds is not None]
    seconds = sum(batch.seconds or 0.0 for batch in known)
    gpu = sum(
        (batch.seconds or 0.0) * site.profiles[batch.profile].gpus * site.profiles[batch.profile].nodes
        for batch in known
    )
    keys = sum(len(batch.keys) for batch in made)
    unknown = len(made) - len(known)
    rest = f", and {unknown} Slurm jobs of which nothing alike has run yet" if unknown else ""
    estimate = f"estimated {duration(seconds / 60)} in all, {gpu / 3600:.1f} GPU-hours{rest}"
    return f"{keys} jobs in {len(made)} Slurm jobs, {len(prepared.arrays)} submissions: " + (
        estimate if known else "no estimate, since nothing alike has run yet"
    )
