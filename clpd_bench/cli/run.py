"""`clpd run`: everything on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from clpd_bench.cli.options import DEFAULT_STORE, File, Sets, StoreDir, console, open_plan, open_store


def run(
    file: File,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Number of processes; by default one per GPU, or without GPUs one per core."),
    ] = None,
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
    here = open_store(store)
    plan_summary(points, planned, set(), None)
    require_pinned(planned, sets)
    outcome = run_plan(planned, here, workers, lambda: declare(points, here))
    print_status(outcome.status, console())
    if outcome.interrupted:
        raise typer.Exit(130)
    if outcome.status.in_state("pending", "running", "failed", "lost", "blocked"):
        raise typer.Exit(1)
