"""`clpd cancel` takes the Slurm jobs of an ablation out of the queue."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

from clpd_bench.cli.options import DEFAULT_STORE, File, Sets, StoreDir, open_plan, open_store
from clpd_bench.errors import UserError

SHOWN = 5


def cancel(
    file: File,
    cell: Annotated[
        str | None, typer.Argument(help="A cell such as clpd/0. By default, every Slurm job of this ablation.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
) -> None:
    """Take this ablation's Slurm jobs out of the queue. Running jobs leave a checkpoint first.

    The exit code is 1 if you answer no.
    """
    from clpd_bench.launch.slurm import queue
    from clpd_bench.launch.slurm.cancel import find

    planned = open_plan(file, sets)[1]
    keys = None
    if cell is not None:
        evaluated = planned.cell(cell)
        keys = {evaluated.model, *evaluated.evaluations.values()}
    found = find(planned.name, keys, open_store(store))
    for user, number in found.others.items():
        print(f"{number} Slurm jobs were launched by {user}, who alone can cancel them")
    if not found.tasks:
        print("nothing to cancel: no Slurm job of this is queued or runs")
        return
    states = ", ".join(f"{n} {state.lower()}" for state, n in Counter(one.task.state for one in found.tasks).items())
    print(f"{len(found.tasks)} Slurm jobs ({states}) with {len(found.labels)} jobs that are not done:")
    for one in found.tasks[:SHOWN]:
        what = [found.labels[key] for key in found.open_keys(one)]
        more = f" and {len(what) - SHOWN} more" if len(what) > SHOWN else ""
        print(f"  {one.task.id} {one.task.state.lower()}: {', '.join(what[:SHOWN]) or 'all done'}{more}")
    if len(found.tasks) > SHOWN:
        print(f"  and {len(found.tasks) - SHOWN} more")
    if found.waiting:
        names = " ".join(f"{one.task.id} (launch {one.launch})" for one in found.waiting[:SHOWN])
        more = f" and {len(found.waiting) - SHOWN} more" if len(found.waiting) > SHOWN else ""
        print(f"Warning: other Slurm jobs wait for these, and will find their inputs missing: {names}{more}")
    print("What runs leaves a checkpoint, and clpd launch goes on from there.")
    if not yes:
        if not sys.stdin.isatty():
            raise UserError("nobody is at a terminal to confirm this", fix="Say --yes")
        if not typer.confirm("Cancel them?"):
            print("nothing was cancelled")
            raise typer.Exit(1)
    queue.cancel(one.task.id for one in found.tasks)
    print(f"cancelled. Next: clpd status {file}")
