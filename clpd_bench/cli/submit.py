"""Submitting a plan to Slurm, for several verbs: first it says what would fail, then one launcher submits at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from clpd_bench.cli.options import console
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Owner, Store

if TYPE_CHECKING:
    from clpd_bench.launch.slurm.batches import Limits
    from clpd_bench.launch.slurm.cluster import Cluster
    from clpd_bench.launch.slurm.preflight import Finding
    from clpd_bench.launch.slurm.site import Site
    from clpd_bench.launch.slurm.submit import Submitted


def submit_plan(
    plan: Plan, site: Site, site_file: Path, store: Store, check: Callable[[], None], as_json: bool
) -> Submitted | None:
    """Makes what data there is to make, then submits all that is left; None if that is nothing.

    Args:
        check: what has to hold before anything is submitted; it finds the data made.

    Raises:
        UserError: the data, what `check` finds, or Slurm.
        typer.Exit: something would fail, which was printed.
    """
    from clpd_bench.launch.prepare import data_exists, make_data
    from clpd_bench.launch.slurm.submit import submit

    will_make_data = not data_exists(plan, store)
    cluster = checked(site, plan, store, False, as_json, warn=not will_make_data)
    if will_make_data:
        print("making the corpora ...", file=sys.stderr)
        make_data(plan, store)
        checked(site, plan, store, False, as_json)  # how much will be written is known only now
    check()
    store.write_plan(plan.to_json())

    def waits(owner: Owner | None) -> None:
        who = f"{owner.host}, process {owner.pid}, since {owner.since}" if owner else "somebody"
        print(f"another launch is submitting ({who}); waiting for it ...", file=sys.stderr)

    with _bar() as progress:
        return submit(plan, site, site_file, store, lambda: limits_of(site, plan, cluster), waits, progress)


def checked(site: Site, plan: Plan, store: Store, alone: bool, as_json: bool, warn: bool = True) -> Cluster:
    """The cluster's own words, once nothing is in the way; what is, is printed.

    Args:
        alone: whether nothing but this was asked for.
    """
    from clpd_bench.launch.slurm.cluster import ask_cluster
    from clpd_bench.launch.slurm.preflight import preflight
    from clpd_bench.launch.slurm.submit import profiles

    asked: list[Cluster] = []

    def ask() -> Cluster:
        asked.append(ask_cluster())
        return asked[0]

    todo = {key for key in plan.jobs if not store.is_done(key)}
    findings = preflight(site, profiles(plan, site), plan, todo, store, ask)
    fatal = any(finding.level == "fatal" for finding in findings)
    if alone and as_json:
        print(json.dumps({"findings": [vars(finding) for finding in findings]}, indent=2))
    elif alone:
        print_findings(findings, console())
    elif fatal or (warn and findings):
        print_findings(findings, Console(stderr=True, soft_wrap=True))
    if fatal:
        raise typer.Exit(2)
    return asked[0]


def print_findings(findings: list[Finding], console: Console) -> None:
    """Each with its fix; `ready` where nothing is in the way."""
    for finding in findings:
        style = "red" if finding.level == "fatal" else "yellow"
        console.print(f"{finding.level}: {finding.what}.", style=style, markup=False, highlight=False)
        console.print(f"  {finding.fix}.", markup=False, highlight=False)
    if not any(finding.level == "fatal" for finding in findings):
        warnings = len(findings)
        console.print(f"ready{f', with {warnings} warning' + 's' * (warnings > 1) if warnings else ''}")


def limits_of(site: Site, plan: Plan, cluster: Cluster) -> Limits:
    from clpd_bench.launch.slurm.cluster import limits
    from clpd_bench.launch.slurm.submit import profiles

    profile = profiles(plan, site)
    return limits(site, {profile(key) for key in plan.jobs}, cluster)


class _bar:
    """A progress bar over the arrays, on a terminal."""

    def __enter__(self) -> Callable[[int, int], None]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("submitting"), BarColumn(), MofNCompleteColumn(), TextColumn("arrays"))
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress.start()
        task = self._progress.add_task("submitting", total=None)
        return lambda done, of: self._progress.update(task, completed=done, total=of)

    def __exit__(self, *error: object) -> None:
        self._progress.stop()
