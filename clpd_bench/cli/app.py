"""The command `clpd`, put together of its verbs."""

from __future__ import annotations

import platform
import shutil
import sys
import textwrap
from importlib.metadata import version
from typing import Annotated

import typer

from clpd_bench.cli import cancel, export, launch, lock, plan, report, run, show, status, store, tune
from clpd_bench.errors import UserError

HELP = """Curriculum-guided progressive distillation, from an ablation file to a tested table.

Start with `clpd plan ablations/smoke.yaml`, then `clpd run` and `clpd report`."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
)

for verb in (
    plan.plan,
    run.run,
    status.status,
    show.show,
    status.retry,
    report.report,
    export.export,
    lock.lock,
    tune.tune,
    launch.launch,
    cancel.cancel,
):
    app.command()(verb)
app.add_typer(store.app, name="store")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"clpd_bench {version('clpd-bench')}, Python {platform.python_version()}, torch {version('torch')}")
        raise typer.Exit


@app.callback(help=HELP)
def _options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show versions and exit."),
    ] = False,
) -> None:
    """Options of `clpd` itself."""


def main() -> None:
    """Entry point: a `UserError` is one paragraph on standard error and exit code 2."""
    try:
        app()
    except UserError as error:
        width = min(shutil.get_terminal_size().columns, 110)
        print(textwrap.fill(str(error), width, break_long_words=False, break_on_hyphens=False), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
