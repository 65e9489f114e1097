"""`clpd launch`: a plan as Slurm jobs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from clpd_bench.cli_options import DEFAULT_STORE, File, Sets, StoreDir, console, open_plan
from clpd_bench.store import Owner, Store

SiteFile = Annotated[Path, typer.Option("--site", metavar="SITE", help="A site file (YAML); examples lie in slurm/.")]


def launch(
    file: File,
    site: SiteFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be submitted; submit nothing.")] = False,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Submit everything that is left to do as Slurm jobs, and exit. Launching again is always safe."""
    from clpd_bench.launch.prepare import check_data, data_exists, make_data
    from clpd_bench.launch.slurm import queue, records
    from clpd_bench.launch.slurm.launch_text import print_prepared
    from clpd_bench.launch.slurm.limits import Limits
    from clpd_bench.launch.slurm.site import load_site
    from clpd_bench.launch.slurm.submit import prepare, submit
    from clpd_bench.reporting.plan_summary import plan_summary

    wanted = load_site(site)
    points, planned = open_plan(file, sets)
    here = Store(store.resolve())
    plan_summary(points, planned, set(), None)

    def limits() -> Limits:
        return Limits(1001, wanted.max_submit, "the site file", sum(t.is_alive for t in queue.tasks()))

    if dry_run:
        waiting = records.queued(here.root, queue.tasks(records.users(here.root)))
        print_prepared(planned, prepare(planned, wanted, limits(), here, waiting), wanted, [], console())
        return
    if not data_exists(planned, here):
        print("making the corpora ...", file=sys.stderr)
    make_data(planned, here)
    for one in points:
        check_data(one.point.ablation, one.plan, here)
        here.declare(one.plan.declaration)
    here.write_plan(planned.to_json())

    def waits(owner: Owner | None) -> None:
        who = f"{owner.host}, process {owner.pid}, since {owner.since}" if owner else "somebody"
        print(f"another launch is submitting ({who}); waiting for it ...", file=sys.stderr)

    done = submit(planned, wanted, site, here, limits, waits, lambda done, of: None)
    if done is None:
        print("nothing to submit")
        return
    print_prepared(planned, done.prepared, wanted, done.jobs, console())
    print(f"Next: clpd status {file}")
