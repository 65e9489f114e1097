"""`clpd lock` pins the revisions that an ablation depends on."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clpd_bench.cli.options import File, Json, console
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_untuned
from clpd_bench.plan.build import point_plans
from clpd_bench.plan.lock import Lock, lock_path, read_lock, write_lock
from clpd_bench.plan.plan import whole
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.hub import short
from clpd_bench.tables.table import Column, table
from clpd_bench.tables.terminal import terminal

if TYPE_CHECKING:
    from clpd_bench.launch.pinning import Covered


def lock(
    file: File,
    fetch: Annotated[
        bool,
        typer.Option(
            "--fetch",
            help="Download everything into the hub's cache (HF_HUB_CACHE), as FILE.lock pins it; pin what it lacks.",
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only say what is pinned and what is in the cache; exit with 1 if anything is not."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Pin the revisions of all models, data sets and lm-eval tasks in FILE.lock. Commit it beside FILE.

    If FILE gives no `revision`, or a branch or tag, the hub is asked for its commit. That commit goes into keys, and
    the branch may move. Each call asks again and says what changed. Other commits are other keys, so what ran before
    runs again. A commit in FILE stays as it is. A lock does not hold what `--set` names elsewhere.

    With --fetch, what is pinned stays as it is. An interrupted fetch continues with the missing files. After it,
    everything runs without a network (HF_HUB_OFFLINE=1). --check asks no hub.
    """
    if check and fetch:
        raise UserError("--check looks and --fetch brings: give one of them")
    ablation = load_untuned(file)  # tuned values change nothing that is the hub's
    if check:
        _check(ablation, file, as_json)
        return
    old = read_lock(file) if fetch else _old(file)
    new = _pin(ablation, file, old, old if fetch else Lock(), as_json)
    if fetch:
        _fetch(ablation, file, new)


def _pin(ablation: Ablation, file: Path, old: Lock, keep: Lock, as_json: bool) -> Lock:
    from clpd_bench.launch.pinning import changes, pinned, without_pin

    unlocked = whole(point_plans(ablation, file, Lock()))
    new = pinned(unlocked, keep, say=lambda what: print(f"asking the hub for {what} ...", file=sys.stderr))
    path = write_lock(file, new)
    found = changes(old, new)
    if as_json:
        print(json.dumps({"lock": str(path), "changes": [one.to_json() for one in found]}, indent=2))
        return new
    for one in found:
        print(one.text)
    for name in without_pin(new):
        print(f"task {name} has no data set of the hub's, or finds it by code of its own: no data of it are pinned")
    print(f"wrote {path}" + ("" if found else ": nothing in the file is a hub's branch or tag, or a task of lm-eval"))
    return new


def _old(file: Path) -> Lock:
    """What cannot be read is written anew."""
    try:
        return read_lock(file)
    except UserError as error:
        print(f"{error}", file=sys.stderr)
        return Lock()


def _fetch(ablation: Ablation, file: Path, new: Lock) -> None:
    from clpd_bench.launch.fetch import fetch
    from clpd_bench.plan.lock import named, needs

    wanted = needs(whole(point_plans(ablation, file, new)))
    for i, need in enumerate(wanted, start=1):
        print(f"{i} of {len(wanted)}: {named(need).text}", file=sys.stderr)
        fetch(need)
    print("all of it is in the hub's cache", file=sys.stderr)


def _check(ablation: Ablation, file: Path, as_json: bool) -> None:
    from clpd_bench.launch.pinning import covered

    rows = covered(whole(point_plans(ablation, file)))
    if as_json:
        print(json.dumps({"lock": str(lock_path(file)), "needs": [row.to_json() for row in rows]}, indent=2))
    else:
        _print(rows)
        ready = all(row.ready for row in rows)
        next_one = f"Next, where there is a network: clpd lock {shlex.quote(str(file))} --fetch"
        print("ready: all that is the hub's is pinned and in its cache" if ready else next_one)
    if not all(row.ready for row in rows):
        raise typer.Exit(1)


def _print(rows: list[Covered]) -> None:
    out, lines = console(), []
    for row in rows:
        revision = short(row.revision) if row.revision else "its file alone"
        cached = "-" if not row.pinned or row.revision is None else "yes" if row.lacking is None else "no"
        lines.append([row.what, row.id, revision if row.pinned else "nothing", cached])
    columns = [Column(title, wraps=False) for title in ("", "", "pinned to", "in the cache")]
    out.print(terminal(table(columns, lines)))
    for row in rows:
        if row.lacking:
            out.print(f"missing: {row.lacking}", markup=False, highlight=False)
