"""`clpd plan`: what would run, and what it can find."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from clpd_bench.cli_options import DEFAULT_STORE, File, Json, Sets, StoreDir, console, open_plan
from clpd_bench.settings.load import load_origins
from clpd_bench.settings.origins import Origin
from clpd_bench.store import Store


def plan(
    file: File,
    corpus: Annotated[bool, typer.Option("--corpus", help="Make the corpora, so that exposure is known.")] = False,
    schedule: Annotated[str | None, typer.Option(metavar="ARM", help="Draw what this arm shows when, by whom.")] = None,
    origins: Annotated[bool, typer.Option("--origins", help="Show where each setting comes from.")] = False,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show cells, jobs, what is shared, what arms differ in, what the seeds can find. Trains nothing."""
    if origins:
        _print_origins(load_origins(file, sets), as_json)
        return
    from clpd_bench.launch.prepare import check_data, data_exists, make_data
    from clpd_bench.launch.seed_cost import seed_cost
    from clpd_bench.reporting.plan_summary import plan_summary
    from clpd_bench.reporting.plan_text import print_plan
    from clpd_bench.reporting.power import power_of
    from clpd_bench.reporting.power_text import print_power
    from clpd_bench.reporting.schedule_text import known_arm, print_schedule

    points, planned = open_plan(file, sets)
    here = Store(store)
    plan_summary(points, planned, set(), None)  # says what arms may not differ in, before any work
    first = points[0]
    known_arm(first.point.ablation, schedule)
    if corpus:
        if not data_exists(planned, here):
            print("making the corpora ...", file=sys.stderr)
        make_data(planned, here)
    here.write_plan(planned.to_json())
    exposures = [check_data(p.point.ablation, p.plan, here) for p in points] if data_exists(planned, here) else None
    done = {key for key in planned.jobs if here.is_done(key)}
    if schedule:
        print_schedule(first.point.ablation, first.plan, here, schedule, as_json)
        return
    cost = seed_cost(planned, here)
    power = [power_of(one.point.ablation, one.plan, here, vars(cost) if cost else None) for one in points]
    summary = plan_summary(points, planned, done, exposures, power)
    if as_json:
        print(json.dumps(summary, indent=2))
        return
    print_plan(points, summary, exposures, console())
    print_power([(one.point.label, found) for one, found in zip(points, power, strict=True)], console())


def _print_origins(found: list[Origin], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"origins": [vars(one) for one in found]}, indent=2))
        return
    for one in found:
        print(f"{one.key}: {json.dumps(one.value)}  ({one.source})")
