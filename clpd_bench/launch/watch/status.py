"""What became of each job of a plan, from the store, and from a scheduler's queue where that was looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from clpd_bench.analysis.ladder import Scored, falls, ladders_of
from clpd_bench.launch.watch.scheduler import Queue, Task
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.store import Store
from clpd_bench.store.states import WITHOUT_PROGRESS, AttemptInfo, State

STATES = ("done", "running", "queued", "pending", "failed", "lost", "blocked")
EVICTED = (
    f"the scheduler ended it {WITHOUT_PROGRESS} times before it could leave a checkpoint: "
    "raise the profile's time, then clpd retry"
)


@dataclass(frozen=True)
class JobStatus:
    """Attributes:
    state: the store's, or `queued` where a scheduler's living task will come to it.
    progress: `done` and `of` of a running job, in its own units.
    reason: the failure's message, or the labels of missing inputs.
    seconds: that it took, or has been running.
    scheduler: what its newest attempt's owner says of the scheduler's job that it was, or is, in.
    task: the living task that has it.
    """

    job: Job
    state: str
    progress: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    log: str = ""
    seconds: float = 0.0
    scheduler: Any = None
    task: Task | None = None


@dataclass(frozen=True)
class Status:
    """Attributes:
    held: keys of what failed or was given up, and of all that needs them: nothing of it will run as it is.
    queue: None where nothing of the plan was launched.
    ladders: the teachers' scores on validation items, as far as they are known.
    """

    plan: Plan
    jobs: list[JobStatus]
    held: frozenset[str] = frozenset()
    queue: Queue | None = None
    ladders: list[Scored] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What is known by now to be wrong with the ablation itself, in sentences."""
        return [f"Warning: {said}." for said in falls(self.ladders)]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """{kind: {state: number}}."""
        counted: dict[str, Counter[str]] = {}
        for status in self.jobs:
            counted.setdefault(status.job.kind, Counter())[status.state] += 1
        return {kind: dict(states) for kind, states in counted.items()}

    def in_state(self, *states: str) -> list[JobStatus]:
        return [status for status in self.jobs if status.state in states]

    def in_no_task(self) -> list[JobStatus]:
        """Of a plan that was launched: those that nobody will come to unless it is launched again."""
        if self.queue is None or self.queue.error:
            return []
        return [job for job in self.in_state("pending", "lost", "blocked") if job.job.key not in self.held]

    def is_bound_to_run(self, job: JobStatus) -> bool:
        """Whether somebody is at it, or will be."""
        if job.state in ("running", "queued") or self.queue is not None:
            return job.state in ("running", "queued")
        return job.state != "done" and job.job.key not in self.held and bool(self.in_state("running"))

    def to_json(self) -> dict[str, Any]:
        return {
            "ablation": self.plan.name,
            "counts": self.counts,
            "ladders": [ladder.to_json() for ladder in self.ladders],
            "queue": self.queue.to_json() if self.queue else None,
            "in_no_task": [job.job.key for job in self.in_no_task()],
            "jobs": [
                {
                    "key": s.job.key,
                    "kind": s.job.kind,
                    "label": s.job.label,
                    "state": s.state,
                    **({"progress": s.progress} if s.progress else {}),
                    **({"task": {"id": s.task.id, "state": s.task.state, "reason": s.task.reason}} if s.task else {}),
                    **({"reason": s.reason, "log": s.log} if s.reason else {}),
                }
                for s in self.jobs
            ],
        }


def status_of(plan: Plan, store: Store, queue: Queue | None = None) -> Status:
    jobs = [_job_status(plan, store, job) for job in plan.jobs.values()]
    held: set[str] = set()
    for one in jobs:  # parents come first
        ended = one.state == "failed" or (one.state == "lost" and not store.may_claim(one.job.key))
        if ended or (one.state not in ("done", "running") and held & set(one.job.parents.values())):
            held.add(one.job.key)
    seen = [_in_queue(job, queue, held) for job in jobs] if queue else jobs
    return Status(plan, seen, frozenset(held), queue, ladders_of(plan, store))


def _in_queue(status: JobStatus, queue: Queue, held: set[str]) -> JobStatus:
    task, key = queue.tasks.get(status.job.key), status.job.key
    if task is None or status.state == "done" or key in held:
        return status
    # A running job may be run by somebody else, too, who is not in the queue.
    if status.state == "running":
        return replace(status, task=task) if queue.is_of(task, status.scheduler) else status
    return JobStatus(status.job, "queued", task=task)


def _job_status(plan: Plan, store: Store, job: Job) -> JobStatus:
    manifest = store.manifest(job.key)
    if manifest is not None:  # first, since of most nothing else need be read
        owner = (manifest.get("attempt") or {}).get("owner") or {}
        return JobStatus(job, "done", seconds=float(manifest.get("seconds") or 0.0), scheduler=owner.get("scheduler"))
    state = store.state(job.key)
    last = store.last_attempt(job.key) if state in ("running", "failed", "lost") else None
    seen = _not_done(plan, store, job, state, last)
    return replace(seen, scheduler=last.owner.scheduler) if last and last.owner else seen


def _since(moment: str) -> float:
    """Seconds from a time that another host may have written until now, for people to read."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())


def _not_done(plan: Plan, store: Store, job: Job, state: State, last: AttemptInfo | None) -> JobStatus:
    log = str(last.log) if last else ""
    if state == "running" and last:
        progress = {k: v for k, v in last.progress.items() if k in ("done", "of")}
        return JobStatus(job, state, progress, log=log, seconds=_since(last.owner.since) if last.owner else 0.0)
    if state == "failed" and (damage := store.damage(job.key)):
        return JobStatus(job, state, reason=str(damage))
    if last and last.failure:
        return JobStatus(job, state, reason=f"{last.failure['type']}: {last.failure['message']}", log=log)
    if state == "lost" and last and last.ending == "evicted":
        return JobStatus(job, state, reason=EVICTED, log=log)
    if state == "lost":
        return JobStatus(
            job, state, reason="the process ended without a word (killed, or the machine went away)", log=log
        )
    if state == "blocked":
        names = [plan.jobs[key].label for key in job.parents.values() if not store.is_done(key)]
        if names:
            return JobStatus(job, state, reason=f"waits for {', '.join(names)}")
        return JobStatus(job, "pending")
    return JobStatus(job, state)
