"""What several verbs share: arguments and options, the console, the plan of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from clpd_bench.grid.load import load_ablation, load_untuned
from clpd_bench.plan.build import point_plans
from clpd_bench.plan.plan import Job, Plan, PointPlan, whole
from clpd_bench.plan.tuning import Tuning, plan_tuning

if TYPE_CHECKING:
    from clpd_bench.store import Store

File = Annotated[Path, typer.Argument(metavar="FILE", help="An ablation file (YAML).")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Replace a value of the file. May be given several times."),
]
StoreDir = Annotated[
    Path, typer.Option("--store", envvar="CLPD_STORE", help="Where artifacts are kept.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
DEFAULT_STORE = Path("clpd_store")


def console() -> Console:
    """Wide where nobody's terminal sets a width: a pipe or a log wraps nothing."""
    return Console(soft_wrap=True, width=None if sys.stdout.isatty() else 160)


def open_store(path: Path) -> Store:
    """The store, opened alike by every verb: Slurm is asked whether the jobs live that owners of attempts were in."""
    from clpd_bench.launch.slurm import liveness

    return liveness.open_store(path)


def open_plan(file: Path, sets: list[str] | None) -> tuple[list[PointPlan], Plan]:
    """The grid's points, each with its plan, and the plan of them all."""
    points = point_plans(load_ablation(file, sets), file)
    return points, whole(points)


def open_tuning(file: Path, sets: list[str] | None) -> Tuning:
    """The plan of tuning a file, whatever was chosen before.

    Raises:
        UserError: the file has no `tune:`.
    """
    return plan_tuning(load_untuned(file, sets), file)


def tuning_jobs(file: Path, sets: list[str] | None) -> dict[str, Job]:
    """The jobs of tuning a file, by key; none where it has no `tune:`."""
    return open_tuning(file, sets).plan.jobs if load_untuned(file, sets).tune else {}
