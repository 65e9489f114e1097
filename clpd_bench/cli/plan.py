"""`clpd plan` shows what would run, what it would cost, and what it can find."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from clpd_bench.cli.options import (
    DEFAULT_STORE,
    File,
    Json,
    Sets,
    StoreDir,
    console,
    open_plan,
    open_store,
    open_tuning,
)
from clpd_bench.errors import UserError
from clpd_bench.grid.load import Origin, load_origins


def plan(
    file: File,
    corpus: Annotated[
        bool, typer.Option("--corpus", help="Make the corpora, and show steps, tokens and exposure.")
    ] = False,
    schedule: Annotated[
        str | None, typer.Option(metavar="ARM", help="Draw what this arm shows when, and who teaches.")
    ] = None,
    origins: Annotated[bool, typer.Option("--origins", help="Show where each setting comes from.")] = False,
    site: Annotated[
        Path | None,
        typer.Option(metavar="SITE", help="Show hours on this site's profiles, and refuse what does not fit."),
    ] = None,
    job: Annotated[
        str | None,
        typer.Option(
            "--cost",
            metavar="JOB",
            help="Work out one job's cost line by line. JOB is a cell, a label, or a key's beginning.",
        ),
    ] = None,
    sets: Sets = None,
    store: StoreDir = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show cells, jobs, what is shared, how arms differ, the cost, and what the seeds can find. Trains nothing."""
    if origins:
        _print_origins(load_origins(file, sets), as_json)
        return
    from clpd_bench.analysis.ladder import falls, ladders_of
    from clpd_bench.cli.plan_cost import job_named, print_cost, print_job_cost
    from clpd_bench.cli.plan_cost_json import besides, cost_json
    from clpd_bench.cli.plan_power import print_power
    from clpd_bench.cli.plan_schedule import known_arm, print_schedule
    from clpd_bench.cli.plan_summary import plan_summary
    from clpd_bench.cli.plan_text import print_plan
    from clpd_bench.costs.hours import seed_cost
    from clpd_bench.costs.of_plan import plan_cost
    from clpd_bench.launch.prepare import check_data, data_exists, make_data
    from clpd_bench.launch.slurm.site import load_site
    from clpd_bench.launch.slurm.submit import machines
    from clpd_bench.results.power import power_of

    wanted = load_site(site) if site else None
    points, planned = open_plan(file, sets)
    here = open_store(store)
    plan_summary(points, planned, set(), None)  # says what arms may not differ in, before any work
    first = points[0]
    known_arm(first.point.ablation, schedule)
    asked = job_named(planned, job) if job else None
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
    costs = plan_cost(planned, here, machines(wanted, planned, here) if wanted else None)
    if asked:
        print_job_cost(asked, costs, as_json, console())
        return
    tried = open_tuning(file, sets) if first.point.ablation.tune else None
    tuning = None
    if tried:
        on = machines(wanted, tried.plan, here) if wanted else None
        tuning = besides(planned, tried.plan, plan_cost(tried.plan, here, on))
    one_more = seed_cost(planned, here)
    power = [power_of(one.point.ablation, one.plan, here, vars(one_more) if one_more else None) for one in points]
    summary = plan_summary(points, planned, done, exposures, power, tried)
    ladders = ladders_of(planned, here)
    if as_json:
        more = {"ladders": [ladder.to_json() for ladder in ladders], "cost": cost_json(planned, costs, tuning)}
        print(json.dumps({**summary, **more}, indent=2))
    else:
        for said in falls(ladders):
            console().print(f"Warning: {said}.\n", markup=False)
        print_plan(points, summary, exposures, tried, console())
        print_cost(planned, costs, tuning, console())
        print_power([(one.point.label, found) for one, found in zip(points, power, strict=True)], console())
    if costs.too_large:
        refused = costs.too_large
        raise UserError("; ".join(one.why for one in refused), file=site, fix="; ".join(one.fix for one in refused))


def _print_origins(found: list[Origin], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"origins": [vars(one) for one in found]}, indent=2))
        return
    for one in found:
        print(f"{one.key}: {json.dumps(one.value)}  ({one.source})")
