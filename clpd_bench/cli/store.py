"""`clpd store` looks after the artifacts. It holds verbs only."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from clpd_bench.cli.options import DEFAULT_STORE, Json, Sets, StoreDir, open_store, tuning_jobs

app = typer.Typer(no_args_is_help=True, help="Verify, free and measure the artifacts.")


@app.command()
def verify(store: StoreDir = DEFAULT_STORE, as_json: Json = False) -> None:
    """Check every artifact against its hashes. Set damaged ones aside; their jobs run again.

    The exit code is 1 if any is damaged. Nothing is deleted.
    """
    from clpd_bench.store.upkeep import Damage, verify_all

    looked = list(verify_all(open_store(store)))
    damaged = [item for item in looked if isinstance(item, Damage)]
    if as_json:
        listed = [{**asdict(d), "place": str(d.place) if d.place else None} for d in damaged]
        print(json.dumps({"verified": len(looked) - len(damaged), "damaged": listed}, indent=2))
    else:
        for item in damaged:
            print(f"damaged: {item.label or item.key}: {'; '.join(item.problems)}")
            print(f"  set aside in {item.place}" if item.place else "  gone meanwhile")
        print(f"{len(looked) - len(damaged)} of {len(looked)} artifacts are what was published")
        if damaged:
            print("Next: clpd run FILE makes those set aside again; what was made from them keeps its place")
    if damaged:
        raise typer.Exit(1)


@app.command()
def gc(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Every ablation file whose results are to stay.")
    ],
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete. Without it, only say what would be deleted.")
    ] = False,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Free what none of these files refers to now, and what attempts at published jobs left behind."""
    from clpd_bench.grid.load import load_ablation
    from clpd_bench.plan.build import build_plan
    from clpd_bench.store.upkeep import find_garbage, remove

    here = open_store(store)
    keep = {key for file in files for key in build_plan(load_ablation(file, sets), file).jobs}
    keep |= {key for file in files for key in tuning_jobs(file, sets)}
    garbage = find_garbage(here, keep)
    total = remove(here, garbage) if delete else sum(item.bytes for item in garbage)
    if as_json:
        listed = [{**asdict(item), "path": str(item.path)} for item in garbage]
        print(json.dumps({"deleted": delete, "bytes": total, "garbage": listed}, indent=2))
        return
    for item in garbage:
        print(f"{item.bytes:>14,} bytes  {item.path}: {item.why}")
    print(f"{total:,} bytes {'freed' if delete else 'can be freed, with --delete'}")


@app.command()
def size(store: StoreDir = DEFAULT_STORE, as_json: Json = False) -> None:
    """Count artifacts and bytes, by kind."""
    from clpd_bench.store.upkeep import sizes

    shares = sizes(open_store(store))
    if as_json:
        print(json.dumps({kind: asdict(share) for kind, share in shares.items()}, indent=2))
        return
    for kind, share in shares.items():
        print(f"{kind:14} {share.count:8,} {share.bytes:18,} bytes")
