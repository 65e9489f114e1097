"""Running a plan on this machine: worker processes, progress, Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clpd_bench.launch.environment import worker_environment
from clpd_bench.launch.status import Status, status_of
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

POLL_SECONDS = 0.5


def run_here(
    plan: Plan, plan_file: Path, store: Store, workers: int, show: Callable[[Status], None]
) -> tuple[Status, bool]:
    """Starts workers on all keys of the plan and waits for them; `show` is told the status as it changes.

    Ctrl-C asks them to leave a checkpoint and end; a second one kills them. Returns the last status,
    and whether it was interrupted.
    """
    status = status_of(plan, store)
    if not status.in_state("pending", "lost", "blocked", "running"):
        return status, False
    interrupted = False
    with _workers(plan_file, store, workers) as processes:
        while any(process.poll() is None for process in processes):
            try:
                time.sleep(POLL_SECONDS)
                show(status_of(plan, store))
            except KeyboardInterrupt:
                if interrupted:
                    break
                interrupted = True
                for process in processes:
                    process.send_signal(signal.SIGTERM)
    return status_of(plan, store), interrupted


@contextmanager
def _workers(plan_file: Path, store: Store, number: int) -> Iterator[list[subprocess.Popen[Any]]]:
    log_folder = store.root / "logs"
    log_folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "clpd_bench.launch.worker", str(plan_file), "--store", str(store.root)]
    processes = []
    try:
        for i in range(1, number + 1):
            with (log_folder / f"worker-{i}.log").open("ab") as log:
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
