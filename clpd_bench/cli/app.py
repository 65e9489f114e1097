"""The command `clpd`: verbs only. Each parses, calls and prints."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import Annotated

import typer
from rich.console import Console

from clpd_bench.cli import cancel, export, launch, lock, plan, report, store, tune
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

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Curriculum-guided progressive distillation: from an ablation file to a tested table.\n\n"
    "Start with `clpd plan ablations/smoke.yaml`, then `clpd run` and `clpd report`.",
)

app.add_typer(store.app, name="store")
app.command()(lock.lock)
app.command()(plan.plan)
app.command()(tune.tune)
app.command()(launch.launch)
app.command()(report.report)
app.command()(cancel.cancel)
app.command()(export.export)


@app.command()
def run(
    file: File,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes side by side, one thread each; by default one a core.")
    ] = os.cpu_count() or 1,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Run everything on this machine. Ctrl-C leaves checkpoints; run again to go on."""
    from clpd_bench.cli.plan_summary import plan_summary
    from clpd_bench.cli.status_text import print_status
    from clpd_bench.launch.fetch import require_pinned
    from clpd_bench.launch.prepare import declare
    from clpd_bench.launch.run import run_plan

    points, planned = open_plan(file, sets)
    here = open_store(store)
    plan_summary(points, planned, set(), None)
    require_pinned(planned, sets)
    outcome = run_plan(planned, here, workers, lambda: declare(points, here))
    print_status(outcome.status, console())
    if outcome.interrupted:
        raise typer.Exit(130)
    if outcome.status.in_state("pending", "running", "failed", "lost", "blocked"):
        raise typer.Exit(1)


@app.command()
def status(
    file: File,
    failures: Annotated[
        bool, typer.Option("--failures", help="Why jobs failed or were lost, where, and what to do.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until nothing is left to wait for.")
    ] = False,
    every: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How often --watch looks.")] = 10,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show what is done, running, waiting in Slurm, pending, failed, lost or blocked; hours used and left.

    --watch looks every 10 seconds: on a terminal it redraws, elsewhere it prints a line whenever something
    has changed. Ctrl-C ends it, with exit code 130.
    """
    from clpd_bench.cli.status_text import print_failures, print_status
    from clpd_bench.launch.slurm.endings import Accounts
    from clpd_bench.launch.slurm.observer import Observer
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


@app.command()
def retry(
    file: File,
    cell: Annotated[str | None, typer.Argument(help="A cell such as clpd/0; every failed job by default.")] = None,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Let failed jobs run again, those of tuning too."""
    _, planned = open_plan(file, sets)
    here = open_store(store)
    jobs = {**planned.jobs, **tuning_jobs(file, sets)}
    keys = set(jobs) if cell is None else planned.cell_keys(cell)
    again = [key for key in jobs if key in keys and here.retry(key)]
    print("\n".join([f"may run again: {jobs[key].label}" for key in again]) or "nothing has failed")
    if again:
        print(f"Next: clpd {'run' if any(key in planned.jobs for key in again) else 'tune'} {file}")


@app.command()
def show(
    cell: Annotated[str, typer.Argument(metavar="CELL|KEY", help="smoke/clpd/0, clpd/0, or (the start of) a key.")],
    example: Annotated[bool, typer.Option("--example", help="One example, with what the loss leaves out.")] = False,
    why: Annotated[bool, typer.Option("--why", help="What is new since its last artifact, what runs again.")] = False,
    logs: Annotated[bool, typer.Option("--logs", help="What its newest attempt and its Slurm job said.")] = False,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show settings, parents, provenance and files of a cell's student or of any artifact.

    Of an evaluation, and of a student that has been evaluated, it says where test outcomes lie: the store is left word
    of that, as of a report.
    """
    from clpd_bench.launch.slurm.endings import Accounts
    from clpd_bench.launch.slurm.view import view_of
    from clpd_bench.launch.watch.logs import logs_of
    from clpd_bench.launch.watch.show import describe, example_text, find_job
    from clpd_bench.launch.watch.why import explain
    from clpd_bench.results.looks import UNRECORDED, cells_of, leave_word, shown

    here = open_store(store)
    planned, job = find_job(cell, here)
    tells = job.kind == "evaluation" if logs else not (why or example)
    if tells and not leave_word(shown(cells_of(job, planned), planned.jobs, here), here):
        print(UNRECORDED, file=sys.stderr)
    if logs:
        said = logs_of(job, here, view_of([job.key], store), Accounts(store))
        print(json.dumps(said.to_json(), indent=2) if as_json else said.text())
    elif why:
        found = explain(cell, planned, job, here)
        print(json.dumps(found.to_json(), indent=2) if as_json else found.text())
    else:
        print(example_text(planned, job, here) if example else json.dumps(describe(planned, job, here), indent=2))


def main() -> None:
    """Entry point: a `UserError` is one paragraph on standard error and exit code 2."""
    try:
        app()
    except UserError as error:
        width = min(shutil.get_terminal_size().columns, 110)
        print(textwrap.fill(str(error), width, break_long_words=False, break_on_hyphens=False), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
