"""Why jobs failed or were lost: the cause, where, what to do, and the last that the log says."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.launch.remedies import EVICTED, remedy
from clpd_bench.launch.watch.scheduler import Accounts, Loss
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
    scheduler_output: files of the scheduler's job that the newest attempt was in.
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
    scheduler_output: tuple[str, ...] = ()


def failures_of(status: Status, store: Store, accounts: Accounts) -> list[Failure]:
    """Of each failed or lost job, in the plan's order."""
    losses = accounts.losses({job.job.key: job.scheduler for job in status.in_state("lost")})
    return [
        _failure(job, store, losses.get(job.job.key), accounts.outputs(job.scheduler))
        for job in status.in_state("failed", "lost")
    ]


def _failure(status: JobStatus, store: Store, loss: Loss | None, outputs: list[Path]) -> Failure:
    key, label, state = status.job.key, status.job.label, status.state
    if damage := store.damage(key):
        cause, fix = "something stands in the place of its artifact", f"{damage.fix}; then clpd run"
        return Failure(key, label, state, str(damage), cause, fix, where=str(damage.file))
    last = store.last_attempt(key)
    record = last.failure if last else None
    known = remedy(record, last.ending if last else None)
    if loss and record is None and known is not EVICTED:
        known = loss.remedy
    return Failure(
        key,
        label,
        state,
        loss.reason if loss and loss.reason and record is None else status.reason,
        known.cause,
        known.what_to_do,
        last.number if last else None,
        last.owner.host if last and last.owner else None,
        _where(str(record["traceback"])) if record else None,
        str(last.log) if last else None,
        last_lines(last.log, LINES) if last else (),
        tuple(map(str, outputs)),
    )


def _where(traceback: str) -> str | None:
    frames: list[Any] = _FRAME.findall(traceback)
    ours = [frame for frame in frames if "clpd_bench" in frame[0]]
    for file, line, function in reversed(ours or frames):
        return f"{file}:{line} in {function}"
    return None
