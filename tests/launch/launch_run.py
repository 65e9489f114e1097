"""Whole runs of a tiny ablation through the command line, in this process or with real workers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError
from clpd_bench.launch import run as launched
from clpd_bench.launch.watch.status import Status, status_of
from clpd_bench.launch.worker import work
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

TINY = Path(__file__).parent / "tiny.yaml"


FINISHED = "a finished run of the tiny ablation"
"""The name of what `finish` makes."""


def finish(folder: Path) -> None:
    """A run that nobody interrupted, and its report."""
    run = Run(folder)
    run("run")
    run("report")


class Run:
    """The command `clpd` on the tiny ablation with a store of its own."""

    def __init__(self, folder: Path, file: Path = TINY) -> None:
        self.folder, self.file = folder, file
        self.store = folder / "store"
        self.should_stop: Callable[[], bool] = lambda: False
        """Whether Ctrl-C comes to what is called."""

    def __call__(self, verb: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """In this process, in which its one worker works, too."""
        return self.typed(verb, str(self.file), *words, check=check)

    def typed(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [*words, "--store", str(self.store)]
        with contextlib.chdir(self.folder), _work_here(self.should_stop), _undrawn(words[0] == "report"):
            done = CliRunner().invoke(app, command)
        if done.exception and not isinstance(done.exception, SystemExit | UserError):
            raise done.exception
        mistake = isinstance(done.exception, UserError)  # as `main` tells of one
        code, errors = (2, str(done.exception)) if mistake else (done.exit_code, done.stderr)
        assert not check or code == 0, done.stdout + errors
        return subprocess.CompletedProcess(command, code, done.stdout, errors)

    def start(self, verb: str, *words: str) -> subprocess.Popen[str]:
        """In a process of its own, with workers of theirs."""
        main = [sys.executable, "-c", "from clpd_bench.cli.app import main; main()"]
        command = [*main, verb, str(self.file), *words, "--store", str(self.store)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=self.folder)

    def status(self, *words: str) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self("status", "--json", *words).stdout)
        return status

    def manifests(self) -> dict[str, dict[str, Any]]:
        """By label."""
        found = [json.loads(f.read_text()) for f in self.store.glob("artifacts/*/manifest.json")]
        return {manifest["label"]: manifest for manifest in found}

    def forget(self, *labels: str) -> None:
        """Removes artifacts, which so are to be made again."""
        for label, manifest in self.manifests().items():
            if label.startswith(labels):
                shutil.rmtree(self.store / "artifacts" / manifest["key"])


@contextlib.contextmanager
def _work_here(should_stop: Callable[[], bool]) -> Iterator[None]:
    """Lets `run` and `tune` start no process: to import torch and lm-eval anew takes longer than the jobs do."""

    def run_here(
        plan: Plan, plan_file: Path, store: Store, workers: int, show: Callable[[Status], None]
    ) -> launched.Outcome:
        from lm_eval import evaluator

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluator, "add_env_info", lambda results: None)  # asks pip and others, a second each time
            work(plan, store, list(plan.jobs), should_stop)
        return launched.Outcome(status_of(plan, store), should_stop(), [])

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a worker has it, so that sums are the same to the last digit
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(launched, "run_here", run_here)
            yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def _undrawn(report: bool) -> Iterator[None]:
    """A report's figures are made and not saved, which would take nine tenths of it and is others' subject."""
    with pytest.MonkeyPatch.context() as patch:
        if report:
            from clpd_bench.report.figures import draw  # imports matplotlib, which others do without

            patch.setattr(draw, "saved", lambda figure: (b"<svg/>", b"", b""))
        yield


def children(pid: int) -> list[int]:
    """Processes started by one: the workers of a run."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def wait_until(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def kill_run(process: subprocess.Popen[str]) -> None:
    """SIGKILL to a run and its workers, all at once."""
    for pid in [*children(process.pid), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
