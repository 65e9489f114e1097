"""`clpd show`: one cell or artifact, its logs, and why it would run again."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from clpd_bench.cli.options import DEFAULT_STORE, Json, StoreDir, open_store


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
