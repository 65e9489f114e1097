"""`clpd launch`: a plan as Slurm jobs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clpd_bench.cli_options import DEFAULT_STORE, File, Json, Sets, StoreDir, console, open_plan
from clpd_bench.cli_submit import checked, limits_of, submit_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

if TYPE_CHECKING:
    from clpd_bench.launch.slurm.cluster import Cluster
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
    from clpd_bench.launch.pinned import require_pinned
    from clpd_bench.launch.prepare import declare
    from clpd_bench.launch.slurm import queue
    from clpd_bench.launch.slurm.launch_text import print_prepared
    from clpd_bench.launch.slurm.site import load_site
    from clpd_bench.reporting.plan_summary import plan_summary

    wanted = load_site(site)
    points, planned = open_plan(file, sets)
    require_pinned(planned, sets)
    here = Store(store.resolve(), alive_slurm_jobs=queue.alive_ids())
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
    from clpd_bench.launch.footprint import footprint
    from clpd_bench.launch.slurm import queue, records
    from clpd_bench.launch.slurm.launch_text import print_options, print_prepared
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
