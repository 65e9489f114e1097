"""The command `clpd`. It holds verbs only: each parses, calls and prints."""

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
from clpd_bench.cli.options import DEFAULT_STORE, File, Json, Sets, StoreDir, console, open_plan, tuning_jobs
from clpd_bench.errors import UserError
from clpd_bench.store import Store

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Curriculum-guided progressive distillation, from an ablation file to a tested table.\n\n"
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
        int, typer.Option(min=1, help="Number of processes, one thread each; by default one per core.")
    ] = os.cpu_count() or 1,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Run everything on this machine. Ctrl-C leaves checkpoints; the same command continues from them."""
    from clpd_bench.cli.plan_summary import plan_summary
    from clpd_bench.cli.status_text import print_status
    from clpd_bench.launch.fetch import require_pinned
    from clpd_bench.launch.prepare import declare
    from clpd_bench.launch.run import run_plan

    points, planned = open_plan(file, sets)
    here = Store(store)
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
    from clpd_bench.cli.status_text import print_status
    from clpd_bench.launch.slurm.observer import Observer
    from clpd_bench.launch.watch.failures import failures_of, print_failures
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
        why = failures_of(found, observer.store)
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
    cell: Annotated[str | None, typer.Argument(help="A cell such as clpd/0. By default, every failed job.")] = None,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Let failed jobs run again, including those of tuning."""
    _, planned = open_plan(file, sets)
    here = Store(store)
    jobs = {**planned.jobs, **tuning_jobs(file, sets)}
    keys = set(jobs) if cell is None else planned.cell_keys(cell)
    again = [key for key in jobs if key in keys and here.retry(key)]
    print("\n".join([f"may run again: {jobs[key].label}" for key in again]) or "nothing has failed")
    if again:
        print(f"Next: clpd {'run' if any(key in planned.jobs for key in again) else 'tune'} {file}")


@app.command()
def show(
    cell: Annotated[str, typer.Argument(metavar="CELL|KEY", help="smoke/clpd/0, clpd/0, or a key or its beginning.")],
    example: Annotated[
        bool, typer.Option("--example", help="Show one example, token by token, and what the loss counts.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Show what is new since its last artifact, and what runs again.")
    ] = False,
    logs: Annotated[
        bool, typer.Option("--logs", help="Show what its newest attempt and its Slurm job printed.")
    ] = False,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show settings, parents, provenance and files of a cell's student, or of any artifact.

    For an evaluation or an evaluated student it says where test outcomes are, so the store records a look, as for a
    report.
    """
    from clpd_bench.launch.watch.logs import logs_of
    from clpd_bench.launch.watch.show import describe, example_text, find_job
    from clpd_bench.launch.watch.why import explain
    from clpd_bench.results.looks import UNRECORDED, cells_of, leave_word, shown

    here = Store(store)
    planned, job = find_job(cell, here)
    tells = job.kind == "evaluation" if logs else not (why or example)
    if tells and not leave_word(shown(cells_of(job, planned), planned.jobs, here), here):
        print(UNRECORDED, file=sys.stderr)
    if logs:
        said = logs_of(job, here)
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
