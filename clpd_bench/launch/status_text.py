"""A status for people: what ran, what did not and why, what to type now."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from clpd_bench.launch.status import STATES, Status

SHOWN = 5


def print_status(status: Status, console: Console) -> None:
    """A line a kind of job, then those that failed with their reasons."""
    used = [state for state in STATES if status.in_state(state)]
    table = Table(box=None, pad_edge=False)
    table.add_column("kind")
    for state in used:
        table.add_column(state, justify="right")
    for kind, counts in status.counts.items():
        table.add_row(kind, *(str(counts.get(state, "")) for state in used))
    console.print(table)
    for state in ("running", "failed", "lost", "blocked"):
        jobs = status.in_state(state)
        for job in jobs[:SHOWN]:
            step = f" {job.progress['done']}/{job.progress['of']}" if job.progress.get("of") else ""
            console.print(f"{state}: {job.job.label}{step}{': ' + job.reason if job.reason else ''}", markup=False)
            if job.log and state != "running":
                console.print(f"  log: {job.log}", markup=False)
        if len(jobs) > SHOWN:
            console.print(f"{state}: {len(jobs) - SHOWN} more")
    if status.in_state("failed", "lost"):
        console.print(f"Causes, and what to do: clpd status {status.plan.file} --failures", markup=False)
    console.print(next_step(status), markup=False)


def next_step(status: Status) -> str:
    """What to type now."""
    file = status.plan.file
    if status.in_state("failed"):
        return f"Next: clpd retry {file}, once the cause is gone, then clpd run {file}"
    if status.in_state("running"):
        return f"Next: clpd status {file}"
    if status.in_state("pending", "lost", "blocked"):
        return f"Next: clpd run {file}"
    return f"Next: clpd report {file}"
