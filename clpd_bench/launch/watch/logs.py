"""`clpd show CELL --logs`: what the newest attempt at a job said, and the scheduler's job that it was in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.launch.watch.failures import last_lines
from clpd_bench.launch.watch.scheduler import Accounts, Queue
from clpd_bench.plan.plan import Job
from clpd_bench.store import Store

LINES = 30


@dataclass(frozen=True)
class Log:
    """Attributes:
    what: whose output it is.
    lines: its last ones.
    """

    what: str
    file: Path
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Logs:
    """Attributes:
    sentence: what is said of the job beside, or in place of, its logs.
    """

    label: str
    sentence: str
    logs: list[Log]

    def to_json(self) -> dict[str, Any]:
        logs = [{"what": log.what, "file": str(log.file), "last_lines": log.lines} for log in self.logs]
        return {"label": self.label, "sentence": self.sentence, "logs": logs}

    def text(self) -> str:
        lines = [f"{self.label}: {self.sentence}"]
        for log in self.logs:
            lines += ["", f"{log.what}: {log.file}", *(f"  | {line}" for line in log.lines or ("(empty)",))]
        return "\n".join(lines)


def logs_of(job: Job, store: Store, queue: Queue | None, accounts: Accounts) -> Logs:
    """Of the newest attempt, and of the scheduler's job that ran it, or else has the job now."""
    last = store.last_attempt(job.key)
    task = queue.tasks.get(job.key) if queue else None
    scheduler = last.owner.scheduler if last and last.owner else None
    logs = [Log(f"attempt {last.number}", last.log, last_lines(last.log, LINES))] if last and last.log.exists() else []
    for file in accounts.outputs(scheduler, task):
        logs.append(Log(f"{accounts.scheduler} job", file, last_lines(file, LINES)))
    said = f"attempt {last.number}, {store.state(job.key)}" if last else "no attempt yet"
    if queue and task and not queue.is_of(task, scheduler):
        said += f"; waits in {queue.scheduler} job {task.id}: {task.waits_for}"
    elif queue and queue.error:
        said += f"; {queue.scheduler}'s queue is not known, since {queue.error}"
    elif queue and not last:
        said += f"; in no {queue.scheduler} job"
    return Logs(job.label, said, logs)
