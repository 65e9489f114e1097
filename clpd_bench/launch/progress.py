"""Progress of a run: bars on a terminal, a line a finished job elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from clpd_bench.launch.status import Status


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
