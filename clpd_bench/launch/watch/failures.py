"""The end of a log.

Why jobs failed or were lost: the cause, where, what to do, and the last that the log says.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from clpd_bench.launch.remedies import EVICTED, LOST_IN_SLURM, remedy
from clpd_bench.launch.slurm.endings import Ending, endings, outputs
from clpd_bench.launch.watch.status import JobStatus, Status
from clpd_bench.store import Store


def last_lines(log: Path, number: int) -> tuple[str, ...]:
    """The last lines of a file; in their place, why it can't be read."""
    try:
        with log.open(errors="replace") as file:
            return tuple(line.rstrip() for line in deque(file, number))
    except OSError as error:
        return (f"(the log can't be read: {error.strerror})",)


LINES = 8
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


@dataclass(frozen=True)
class Failure:
    """Attributes:
    attempt: the newest attempt's number; None where there never was one.
    node: where it ran.
    where: file, line and function of this package in which the error arose, or of another's.
    last_lines: of the log.
    slurm_output: files of the Slurm job that the newest attempt was in.
    """

    key: str
    label: str
    state: str
    reason: str
    cause: str
    what_to_do: str
    attempt: int | None = None
    node: str | None = None
    where: str | None = None
    log: str | None = None
    last_lines: tuple[str, ...] = ()
    slurm_output: tuple[str, ...] = ()


def failures_of(status: Status, store: Store) -> list[Failure]:
    """Of each failed or lost job, in the plan's order; why Slurm jobs ended, Slurm's accounts are asked once."""
    # The last of a job's names is its own, see `outputs`.
    found = endings(job.slurm_ids[-1] for job in status.in_state("lost") if job.slurm_ids)
    return [
        _failure(job, store, found.get(job.slurm_ids[-1]) if job.slurm_ids else None)
        for job in status.in_state("failed", "lost")
    ]


def _failure(status: JobStatus, store: Store, ending: Ending | None) -> Failure:
    key, label, state = status.job.key, status.job.label, status.state
    if damage := store.damage(key):
        cause, fix = "something stands in the place of its artifact", f"{damage.fix}; then clpd run"
        return Failure(key, label, state, str(damage), cause, fix, where=str(damage.file))
    last = store.last_attempt(key)
    record = last.failure if last else None
    known = remedy(record, last.ending if last else None)
    if state == "lost" and record is None and status.slurm_ids and known is not EVICTED:
        known = ending.remedy if ending else LOST_IN_SLURM
    return Failure(
        key,
        label,
        state,
        ending.reason if ending and record is None else status.reason,
        known.cause,
        known.what_to_do,
        last.number if last else None,
        last.owner.host if last and last.owner else None,
        _where(str(record["traceback"])) if record else None,
        str(last.log) if last else None,
        last_lines(last.log, LINES) if last else (),
        tuple(str(file) for file in outputs(store.root, status.slurm_ids)),
    )


def _where(traceback: str) -> str | None:
    frames: list[Any] = _FRAME.findall(traceback)
    ours = [frame for frame in frames if "clpd_bench" in frame[0]]
    for file, line, function in reversed(ours or frames):
        return f"{file}:{line} in {function}"
    return None


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
        for file in failure.slurm_output:
            _say(console, f"  Slurm says  {file}")
            for line in last_lines(Path(file), LINES):
                _say(console, f"    | {line}")
    if not failures:
        _say(console, "nothing failed, nothing is lost")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)
