"""The command line in this process, its jobs too: to import torch and lm-eval anew takes longer than small jobs do."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError
from clpd_bench.launch import run
from clpd_bench.launch.device import repeatable
from clpd_bench.launch.processes import job_environment
from clpd_bench.launch.watch.status import Status, status_of
from clpd_bench.launch.worker import work
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def typed(
    *words: str | Path, folder: Path, should_stop: Callable[[], bool] = lambda: False
) -> subprocess.CompletedProcess[str]:
    """What `clpd` with these words says in a folder, and with which code it ends.

    A report's figures are made and not saved, which would take nine tenths of it and is tests/reporting's subject.

    Args:
        should_stop: whether Ctrl-C comes to its jobs.
    """
    command = [str(word) for word in words]
    with contextlib.chdir(folder), jobs_in_process(should_stop), _unsaved(words[0] == "report"):
        done = CliRunner().invoke(app, command)
    if done.exception and not isinstance(done.exception, SystemExit | UserError):
        raise done.exception
    mistake = isinstance(done.exception, UserError)  # as `main` tells of one
    code, errors = (2, str(done.exception)) if mistake else (done.exit_code, done.stderr)
    return subprocess.CompletedProcess(command, code, done.stdout, errors)


@contextlib.contextmanager
def jobs_in_process(should_stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """While it lasts, `clpd run` and `clpd tune` work through the plan as it is stored, in a worker's environment,
    without a worker.

    Args:
        should_stop: whether Ctrl-C has come.
    """

    def run_here(
        plan: Plan, plan_file: Path, store: Store, workers: int | None, show: Callable[[Status], None]
    ) -> run.Outcome:
        stored = Plan.from_json(json.loads(plan_file.read_text()))
        threads = torch.get_num_threads()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in job_environment().items():
                patch.setenv(name, value)
            repeatable()  # sums are the same to the last digit as a worker's
            try:
                work(stored, store, list(stored.jobs), should_stop)
            finally:
                torch.set_num_threads(threads)
        return run.Outcome(status_of(plan, store), should_stop(), [])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "run_here", run_here)
        yield


@contextlib.contextmanager
def _unsaved(report: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if report:
            from matplotlib.figure import Figure  # dear to import, which others do without

            # The method: a module that is first imported meanwhile would keep a function that it took by its name.
            patch.setattr(Figure, "savefig", lambda figure, file, **settings: file.write(b"<svg/>"))
        yield


def lm_eval(*words: str, folder: Path, cache: Path) -> None:
    """What `lm_eval` with these words does in a folder; its own tasks, which it takes ten seconds to list, are left
    out.

    Args:
        cache: for its data sets.
    """
    from lm_eval._cli import HarnessCLI  # costs seconds to import: only for who calls
    from lm_eval.tasks import TaskManager

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("TOKENIZERS_PARALLELISM", "false")  # as the command sets it, for good
        patch.setattr("datasets.config.HF_DATASETS_CACHE", cache)
        patch.setattr("lm_eval.tasks.TaskManager", partial(TaskManager, include_defaults=False))
        patch.setattr("torch.utils.collect_env.get_pretty_env_info", str)  # asks pip and others, a second each time
        patch.setattr(sys, "argv", ["lm_eval", *words])
        parser = HarnessCLI()
        parser.execute(parser.parse_args())
