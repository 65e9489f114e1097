"""`clpd status`: what is done, running, failed or waiting; `clpd retry`: failed jobs may run again."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from clpd_bench.cli.options import (
    DEFAULT_STORE,
    File,
    Json,
    Sets,
    StoreDir,
    console,
    open_plan,
    open_store,
    tuning_jobs,
)
from clpd_bench.errors import UserError


def status(
    file: File,
    failures: Annotated[
        bool, typer.Option("--failures", help="Show why jobs failed or were lost, where, and what to do.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Repeat until nothing is left to wait for.")] = False,
    every: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How often --watch repeats.")] = 10,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show which jobs are done, running, waiting in Slurm, pending, failed, lost or blocked; and hours used and left.

    --watch repeats this every 10 seconds. On a terminal it redraws; elsewhere it prints a line when something has
    changed. Ctrl-C ends it with exit code 130.
    """
    from clpd_bench.cli.status_text import print_failures, print_status
    from clpd_bench.launch.slurm.endings import Accounts
    from clpd_bench.launch.slurm.view import Observer
    from clpd_bench.launch.watch.failures import failures_of
    from clpd_bench.launch.watch.hours import hours_of

    if watch and (failures or as_json):
        raise UserError("--watch goes with neither --failures nor --json")
    observer = Observer(open_plan(file, sets)[1], store)
    if watch:
        from clpd_bench.cli.status_text import watch as look_on

        look_on(observer.look, every, Console() if sys.stdout.isatty() else console())
        return
    found = observer.look()
    if failures:
        why = failures_of(found, observer.store, Accounts(store))
        if as_json:
            print(json.dumps([vars(failure) for failure in why], indent=2))
        else:
            print_failures(why, console())
    elif as_json:
        print(json.dumps({**found.to_json(), "hours": hours_of(found).to_json()}, indent=2))
    else:
        print_status(found, console())


def retry(
    file: File,
    cell: Annotated[str | None, typer.Argument(help="A cell such as clpd/0. By default, every failed job.")] = None,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Let failed jobs run again, including those of tuning."""
    _, planned = open_plan(file, sets)
    here = open_store(store)
    jobs = {**planned.jobs, **tuning_jobs(file, sets)}
    keys = set(jobs) if cell is None else planned.cell_keys(cell)
    again = [key for key in jobs if key in keys and here.retry(key)]
    print("\n".join([f"may run again: {jobs[key].label}" for key in again]) or "nothing has failed")
    if again:
        print(f"Next: clpd {'run' if any(key in planned.jobs for key in again) else 'tune'} {file}")
