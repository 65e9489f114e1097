"""Watching a plan: redrawn on a terminal, elsewhere a line whenever something has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from rich.live import Live

from clpd_bench.launch.status import STATES, Status
from clpd_bench.launch.status_text import slurm_lines, status_text


def watch(look: Callable[[], Status], seconds: float, console: Console) -> None:
    """Looks every so many seconds until nothing is left to wait for.

    Somebody is between two jobs at times, and a queue may not answer: so it takes two looks in a row at
    nobody at work, where there is work left. The last picture stays on the terminal.

    Args:
        console: one that wraps lines, where it is a terminal: what redraws has to know how many there are.
    """
    idle = 0
    before = ""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            status = look()
            if console.is_terminal:
                live.update(status_text(status), refresh=True)
            elif (line := _line(status)) != before:
                console.print(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {line}", markup=False, highlight=False)
                before = line
            idle = 0 if _is_at_work(status) else idle + 1
            if idle == 2 or (idle and not _may_run(status)):
                return
            time.sleep(seconds)


def _is_at_work(status: Status) -> bool:
    return bool(status.in_state("running", "queued") or (status.slurm and status.slurm.error))


def _may_run(status: Status) -> bool:
    return any(job.state != "done" and job.job.key not in status.held for job in status.jobs)


def _line(status: Status) -> str:
    counts = ", ".join(f"{len(status.in_state(state))} {state}" for state in STATES if status.in_state(state))
    return "; ".join([counts, *slurm_lines(status)])
