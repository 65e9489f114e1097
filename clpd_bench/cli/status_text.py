"""A status for people: what ran, what did not and why, what to type now; printed once, or watched as it changes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from clpd_bench.launch.watch.failures import LINES, Failure, last_lines
from clpd_bench.launch.watch.hours import hours_of
from clpd_bench.launch.watch.status import STATES, JobStatus, Status
from clpd_bench.tables.table import Column, Table, table
from clpd_bench.tables.terminal import terminal

SHOWN = 5


def print_status(status: Status, console: Console) -> None:
    console.print(status_text(status))


def status_text(status: Status) -> RenderableType:
    """Warnings; a line a kind of job; what is in Slurm; hours; what runs, waits, failed, with reasons; what to type
    now."""
    warnings = (Text(line, overflow="fold") for line in status.warnings)
    return Group(*warnings, terminal(counts_table(status)), *(Text(line, overflow="fold") for line in _lines(status)))


def counts_table(status: Status) -> Table:
    """A line a kind of job, a column a state."""
    used = [state for state in STATES if status.in_state(state)]
    rows = [[kind, *(str(counts.get(state, "")) for state in used)] for kind, counts in status.counts.items()]
    return table(["kind", *(Column(state, "right") for state in used)], rows)


def _lines(status: Status) -> Iterator[str]:
    yield from slurm_lines(status)
    if hours := hours_of(status).text():
        yield hours
    for state in ("running", "queued", "failed", "lost", "blocked"):
        jobs = status.in_state(state)
        for job in jobs[:SHOWN]:
            yield _line(job)
            if job.log and state != "running":
                yield f"  log: {job.log}"
        if len(jobs) > SHOWN:
            yield f"{state}: {len(jobs) - SHOWN} more"
    if status.in_state("failed", "lost"):
        yield f"Causes, and what to do: clpd status {status.plan.file} --failures"
    yield next_step(status)


def _line(job: JobStatus) -> str:
    step = f" {job.progress['done']}/{job.progress['of']}" if job.progress.get("of") else ""
    where = f", Slurm job {job.task.id}" if job.task else ""
    why = f": {job.task.waits_for}" if job.task and job.state == "queued" else ""
    return f"{job.state}: {job.job.label}{step}{where}{why}{': ' + job.reason if job.reason else ''}"


def slurm_lines(status: Status) -> Iterator[str]:
    """What waits in Slurm and for what, what nobody will come to, or that Slurm could not be asked."""
    if status.queue is None:
        return
    if status.queue.error:
        yield f"Slurm's queue is not known, since {status.queue.error}: all this is from disk"
    reasons = Counter(job.task.waits_for for job in status.in_state("queued") if job.task)
    if reasons:
        what = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
        yield f"{reasons.total()} pending {_jobs(reasons.total())} in Slurm: {what}"
    if left := status.in_no_task():
        yield f"{len(left)} {_jobs(len(left))} in no Slurm job: {go_on(status)}"


def _jobs(number: int) -> str:
    return "job is" if number == 1 else "jobs are"


def go_on(status: Status) -> str:
    """The command that sees to what is left, in the way in which the plan was run before."""
    file = status.plan.file
    return f"clpd launch {file} --site {status.queue.site}" if status.queue else f"clpd run {file}"


def next_step(status: Status) -> str:
    """What to type now."""
    file = status.plan.file
    if status.in_state("failed"):
        return f"Next: clpd retry {file}, once the cause is gone, then {go_on(status)}"
    if status.queue and status.queue.error and status.in_state("pending", "lost", "blocked", "running"):
        return f"Next: clpd status {file}, once Slurm answers"
    # Who runs it without Slurm's knowledge runs all of it.
    by_hand = any(job.task is None for job in status.in_state("running"))
    if status.in_no_task() and not by_hand:
        return f"Next: {go_on(status)}"
    if status.in_state("running", "queued"):
        return f"Next: clpd status {file} --watch"
    if any(job.job.key in status.held for job in status.jobs):
        return f"Next: clpd retry {file}, once the cause is gone, then {go_on(status)}"
    if status.in_state("pending", "lost", "blocked"):
        return f"Next: {go_on(status)}"
    return f"Next: clpd report {file}"


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
            elif (line := _line_of_change(status)) != before:
                console.print(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {line}", markup=False, highlight=False)
                before = line
            idle = 0 if _is_at_work(status) else idle + 1
            if idle == 2 or (idle and not _may_run(status)):
                return
            time.sleep(seconds)


def _is_at_work(status: Status) -> bool:
    return bool(status.in_state("running", "queued") or (status.queue and status.queue.error))


def _may_run(status: Status) -> bool:
    return any(job.state != "done" and job.job.key not in status.held for job in status.jobs)


def _line_of_change(status: Status) -> str:
    counts = ", ".join(f"{len(status.in_state(state))} {state}" for state in STATES if status.in_state(state))
    return "; ".join([counts, *slurm_lines(status)])


def print_failures(failures: list[Failure], console: Console) -> None:
    """A paragraph a job."""
    for failure in failures:
        number = f", attempt {failure.attempt}" if failure.attempt else ""
        node = f" on {failure.node}" if failure.node else ""
        _say(console, f"{failure.state}: {failure.label}{number}{node}")
        _say(console, f"  reason      {failure.reason}")
        _say(console, f"  cause       {failure.cause}")
        if failure.where:
            _say(console, f"  where       {failure.where}")
        _say(console, f"  what to do  {failure.what_to_do}")
        if failure.log:
            _say(console, f"  log         {failure.log}")
        for line in failure.last_lines:
            _say(console, f"    | {line}")
        for file in failure.scheduler_output:
            _say(console, f"  Slurm says  {file}")
            for line in last_lines(Path(file), LINES):
                _say(console, f"    | {line}")
    if not failures:
        _say(console, "nothing failed, nothing is lost")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)
