"""Running a plan on this machine: worker processes, progress, Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.launch.environment import worker_environment
from clpd_bench.launch.status import Status, status_of
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

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


def run_here(plan: Plan, plan_file: Path, store: Store, workers: int, show: Callable[[Status], None]) -> Outcome:
    """Starts workers on all keys of the plan and waits for them; `show` is told the status as it changes.

    Ctrl-C asks them to leave a checkpoint and end; a second one kills them.
    """
    status = status_of(plan, store)
    if not status.in_state("pending", "lost", "blocked", "running"):
        return Outcome(status, False, [])
    with _workers(plan_file, store, workers) as processes, _ctrl_c() as asked:
        told = False
        while any(process.poll() is None for process in processes) and asked() < 2:
            time.sleep(POLL_SECONDS)
            show(status_of(plan, store))
            if asked() and not told:
                told = True
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
    command = [sys.executable, "-m", "clpd_bench.launch.worker", str(plan_file), "--store", str(store.root)]
    processes = []
    try:
        for i in range(1, number + 1):
            with _log(store, i).open("ab") as log:
                # A session of their own: the terminal's Ctrl-C is for us to pass on.
                processes.append(
                    subprocess.Popen(command, stdout=log, stderr=log, env=worker_environment(), start_new_session=True)
                )
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
        for process in processes:
            process.wait()
