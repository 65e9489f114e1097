"""`clpd tune` finds every arm's own values, with one budget for all arms."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from clpd_bench.cli.options import DEFAULT_STORE, File, Json, Sets, StoreDir, console, open_store, open_tuning
from clpd_bench.cli.submit import submit_plan
from clpd_bench.plan.tuning import Tuning
from clpd_bench.store import Store

TuneSite = Annotated[
    Path | None,
    typer.Option("--site", metavar="SITE", help="Run as Slurm jobs on this cluster (YAML) instead of here."),
]


def tune(
    file: File,
    site: TuneSite = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes without --site; by default as in clpd run.")
    ] = None,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Choose values for every compared arm at each point of the grid. Each arm has the same trials and seeds. Only
    validation items judge them.

    The file says what to try, which metric judges, and which seeds to use, none of them reported:

    `tune: {space: {student.training.learning_rate: [1e-5, 2e-5, 4e-5]}, metric: response_loss, seeds: [100, 101]}`

    The chosen values are written to NAME.tuned.yaml beside the file. Name it there: `tuned: NAME.tuned.yaml`. Ctrl-C
    leaves checkpoints; the same command continues from them. With --site it submits and exits. Type it again when the
    jobs are done.
    """
    from clpd_bench.launch.fetch import require_pinned
    from clpd_bench.results.tuning import unfinished

    tuning, submitted = open_tuning(file, sets), None
    require_pinned(tuning.plan, sets)
    said = [word for one in sets or [] for word in ("--set", one)] + (["--site", str(site)] if site else [])
    again = shlex.join(["clpd", "tune", str(file), *said, *(["--store", str(store)] if store != DEFAULT_STORE else [])])
    if unfinished(tuning, open_store(store)):
        if site is None:
            _run_here(tuning, open_store(store), workers)
        else:
            submitted = _submit(tuning, site, store, as_json)
    if left := unfinished(tuning, open_store(store)):
        failed = _print_unfinished(tuning, store, len(left), submitted, again, as_json)
        raise typer.Exit(1 if failed or site is None else 0)
    _write(tuning, open_store(store), file, as_json)


def _run_here(tuning: Tuning, store: Store, workers: int | None) -> None:
    from clpd_bench.launch.prepare import check_training
    from clpd_bench.launch.run import run_plan
    from clpd_bench.report.tuning.text import size

    print(f"tuning {size(tuning)}", file=sys.stderr)
    outcome = run_plan(tuning.plan, store, workers, lambda: check_training(tuning.plan, store))
    if outcome.interrupted:
        print("stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130)


def _submit(tuning: Tuning, site_file: Path, store: Path, as_json: bool) -> str | None:
    """The launch's name, None where there was nothing to submit."""
    from clpd_bench.cli.launch import print_prepared
    from clpd_bench.launch.prepare import check_training
    from clpd_bench.launch.slurm.site import load_site

    site, here = load_site(site_file), open_store(store.resolve())
    plan = tuning.plan
    done = submit_plan(plan, site, site_file, here, lambda: check_training(plan, here), as_json)
    if done and not as_json:
        print_prepared(plan, done.prepared, site, done.jobs, console())
    return done.launch.id if done else None


def _print_unfinished(tuning: Tuning, store: Path, left: int, submitted: str | None, again: str, as_json: bool) -> bool:
    """What is still to be done, what failed and why, what to type; whether anything failed."""
    from clpd_bench.cli.status_text import counts_table, print_failures, slurm_lines
    from clpd_bench.launch.slurm.endings import Accounts
    from clpd_bench.launch.slurm.view import Observer
    from clpd_bench.launch.watch.failures import failures_of
    from clpd_bench.tables.terminal import terminal

    observer = Observer(tuning.plan, store)
    found = observer.look()
    failed = failures_of(found, observer.store, Accounts(store))
    if as_json:
        print(json.dumps({"file": None, "launch": submitted, "unfinished": left, "status": found.to_json()}, indent=2))
        return bool(failed)
    console().print(terminal(counts_table(found)))
    for line in slurm_lines(found):
        print(line)
    if failed:
        print_failures(failed, console())
        # What was chosen before may be stale by now, and would be refused.
        anew = " --set tuned=null" if tuning.ablation.tuned else ""
        print(f"Next: clpd retry {shlex.quote(tuning.plan.file)}{anew}, once the cause is gone, then {again}")
    else:
        print(f"{left} of the trials' students are not done yet\nNext, when they are: {again}")
    return bool(failed)


def _write(tuning: Tuning, store: Store, file: Path, as_json: bool) -> None:
    from clpd_bench.report.tuning.tables import print_chosen
    from clpd_bench.report.tuning.text import warnings_everywhere
    from clpd_bench.results.tuning import outcome, write_tuned

    tuned = outcome(tuning, store)
    written = write_tuned(tuned, file)
    found = warnings_everywhere(tuning.ablation, tuned)
    if as_json:
        print(json.dumps({"file": str(written), "warnings": found, **tuned.model_dump(mode="json")}, indent=2))
        return
    print_chosen(tuned, console())
    for sentence in found:
        print(f"Warning: {sentence}")
    print(f"written: {written}")
    named = tuning.ablation.tuned
    if named is None or named.resolve() != written.resolve():
        print(f"Next: add `tuned: {written.name}` to {file}, then clpd plan {shlex.quote(str(file))}")
    else:
        print(f"Next: clpd plan {shlex.quote(str(file))}")
