"""A whole plan on this machine: data, downloads, checks, workers, progress, Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from clpd_bench.launch.device import workers_by_default
from clpd_bench.launch.fetch import fetch_all
from clpd_bench.launch.prepare import data_exists, make_data
from clpd_bench.launch.processes import worker_environment
from clpd_bench.launch.watch.status import Status, status_of
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


class ProgressView:
    """Shows each status it is given. A context manager; prints to standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True)
        self._live = Live(console=self._console, refresh_per_second=4) if self._console.is_terminal else None
        self._bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._task = self._bar.add_task("jobs", total=None)
        self._seen: dict[str, str] = {}
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, status: Status) -> None:
        """Redraws, or prints what has ended since the last call."""
        done = len(status.in_state("done"))
        if self._live:
            self._bar.update(self._task, completed=done, total=len(status.jobs))
            self._live.update(Group(self._bar, _running(status)))
        elif not self._seen:
            self._console.print(f"{done} of {len(status.jobs)} jobs are done already", highlight=False)
        for job in status.jobs:
            before = self._seen.get(job.job.key)
            self._seen[job.job.key] = job.state
            if before in (None, job.state) or job.state not in ("done", "failed", "lost"):
                continue
            if not self._live or job.state != "done":
                seconds = time.monotonic() - self._started
                line = f"{seconds:6.0f} s  {done}/{len(status.jobs)}  {job.state:7} {job.job.label}"
                reason = f": {job.reason}" if job.reason else ""
                self._console.print(line + reason, highlight=False, markup=False)


def _running(status: Status) -> Table:
    table = Table.grid(padding=(0, 1))
    for job in status.in_state("running"):
        done, of = job.progress.get("done"), job.progress.get("of")
        table.add_row("  ", job.job.label, f"{done}/{of}" if of else "")
    return table


POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Outcome:
    """Attributes:
    interrupted: by Ctrl-C.
    crashed: a sentence for each worker that ended by itself in an error, or was killed.
    """

    status: Status
    interrupted: bool
    crashed: list[str]


def run_here(plan: Plan, plan_file: Path, store: Store, workers: int | None, show: Callable[[Status], None]) -> Outcome:
    """Starts workers on all keys of the plan and waits for them; `show` is told the status as it changes.

    Ctrl-C asks them to leave a checkpoint and end; a second one kills them.
    """
    status = status_of(plan, store)
    if not status.in_state("pending", "lost", "blocked", "running"):
        return Outcome(status, False, [])
    with _workers(plan_file, store, workers or workers_by_default()) as processes, _ctrl_c() as asked:
        announced = False
        while any(process.poll() is None for process in processes) and asked() < 2:
            time.sleep(POLL_SECONDS)
            show(status_of(plan, store))
            if asked() and not announced:
                announced = True
                for process in processes:
                    process.send_signal(signal.SIGTERM)
    interrupted = bool(asked())
    crashed = [
        f"worker {i} {_ending(process.returncode)}: {_last_line(_log(store, i))} ({_log(store, i)})"
        for i, process in enumerate(processes, start=1)
        if process.returncode and not interrupted
    ]
    return Outcome(status_of(plan, store), interrupted, crashed)


@contextmanager
def _ctrl_c() -> Iterator[Callable[[], int]]:
    """How often Ctrl-C was typed. By a handler: an exception that comes up in a callback would be ignored."""
    count = 0

    def typed(number: int, frame: Any) -> None:
        nonlocal count
        count += 1

    before = signal.signal(signal.SIGINT, typed)
    try:
        yield lambda: count
    finally:
        signal.signal(signal.SIGINT, before)


def _ending(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed by SIGKILL, by hand or for want of memory (dmesg tells); the last it said"
    return f"ended with code {code}"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


def _log(store: Store, worker: int) -> Path:
    return store.root / "logs" / f"worker-{worker}.log"


@contextmanager
def _workers(plan_file: Path, store: Store, number: int) -> Iterator[list[subprocess.Popen[Any]]]:
    _log(store, 1).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "clpd_bench.cli.worker", str(plan_file), str(store.root)]
    processes = []
    try:
        for i in range(1, number + 1):
            mine = [*command, str(i - 1)]
            with _log(store, i).open("ab") as log:
                # A session of their own: the terminal's Ctrl-C is for us to pass on.
                processes.append(
                    subprocess.Popen(mine, stdout=log, stderr=log, env=worker_environment(), start_new_session=True)
                )
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
        for process in processes:
            process.wait()


def run_plan(plan: Plan, store: Store, workers: int | None, check: Callable[[], None]) -> Outcome:
    """Progress and what became of workers go to standard error.

    Args:
        workers: how many; None for one a GPU, or one a core.
        check: what has to hold before any worker starts; it finds the data made.

    Raises:
        UserError: the data, or what `check` finds.
    """
    if not data_exists(plan, store):
        print("making the corpora ...", file=sys.stderr)
    make_data(plan, store)
    fetch_all(plan, store)
    check()
    plan_file = store.write_plan(plan.to_json())
    with ProgressView() as view:
        outcome = run_here(plan, plan_file, store, workers, view)
    for sentence in outcome.crashed:
        print(sentence, file=sys.stderr)
    return outcome
