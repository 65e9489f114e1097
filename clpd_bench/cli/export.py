"""`clpd export` copies a finished model into a folder of its own."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from clpd_bench.cli.options import DEFAULT_STORE, Json, StoreDir, open_store


def export(
    cell: Annotated[
        str, typer.Argument(metavar="CELL|KEY", help="smoke/clpd/0, clpd/0, or a model's key or its beginning.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Copy a finished model into a folder that from_pretrained and lm-eval load.

    The folder also gets a model card (README.md) with the arm, teachers, data, seed, scores with intervals, and
    commands. It gets the task files of its benchmarks too, so the lm-eval commands on the card run as they are.

    To export a teacher, or a student before distillation, give its key: `clpd show CELL` lists it among the parents.
    Copies are checked against the hashes with which the model was published. The card shows test scores, so the store
    records a look, as for a report. Nothing else in the store changes.
    """
    from clpd_bench.launch.watch.show import find_job
    from clpd_bench.report.export import CARD
    from clpd_bench.report.export import export as write
    from clpd_bench.results.looks import UNRECORDED

    here = open_store(store)
    planned, job = find_job(cell, here)
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        copying = bar.add_task(f"copying {job.label}", total=None)
        done = write(cell, planned, job, here, folder, lambda n, of: bar.update(copying, completed=n, total=of))
    if not done.recorded:
        print(UNRECORDED, file=sys.stderr)
    if as_json:
        benchmarks = {task.benchmark: task.folder or None for task in done.tasks}
        summary = {"label": done.label, "key": done.key, "folder": str(folder), "card": str(folder / CARD)}
        print(json.dumps({**summary, "bytes": done.bytes, "files": done.files, "evaluation": benchmarks}, indent=2))
        return
    print(f"{done.label} is in {folder}: {len(done.files)} files, {done.bytes:,} bytes. Its card: {folder / CARD}")
    print("Next:")
    print(f"  in Python: AutoModelForCausalLM.from_pretrained({str(folder)!r})")
    for task in done.tasks:
        if task.folder:
            print(f"  {task.benchmark}: cd {shlex.quote(str(folder / task.folder))} && {shlex.join(task.arguments)}")
