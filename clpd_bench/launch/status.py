"""What became of each job of a plan, from the store alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from clpd_bench.plan.plan import Job, Plan
from clpd_bench.store import Store
from clpd_bench.store.states import WITHOUT_PROGRESS

STATES = ("done", "running", "pending", "failed", "lost", "blocked")
EVICTED = (
    f"its Slurm job ended {WITHOUT_PROGRESS} times before it could leave a checkpoint: "
    "raise the profile's time, then clpd retry"
)


@dataclass(frozen=True)
class JobStatus:
    """Attributes:
    progress: `done` and `of` of a running job, in its own units.
    reason: the failure's message, or the labels of missing inputs.
    """

    job: Job
    state: str
    progress: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    log: str = ""


@dataclass(frozen=True)
class Status:
    plan: Plan
    jobs: list[JobStatus]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """{kind: {state: number}}."""
        counted: dict[str, Counter[str]] = {}
        for status in self.jobs:
            counted.setdefault(status.job.kind, Counter())[status.state] += 1
        return {kind: dict(states) for kind, states in counted.items()}

    def in_state(self, *states: str) -> list[JobStatus]:
        return [status for status in self.jobs if status.state in states]

    def to_json(self) -> dict[str, Any]:
        return {
            "ablation": self.plan.name,
            "counts": self.counts,
            "jobs": [
                {
                    "key": s.job.key,
                    "kind": s.job.kind,
                    "label": s.job.label,
                    "state": s.state,
                    **({"progress": s.progress} if s.progress else {}),
                    **({"reason": s.reason, "log": s.log} if s.reason else {}),
                }
                for s in self.jobs
            ],
        }


def status_of(plan: Plan, store: Store) -> Status:
    return Status(plan, [_job_status(plan, store, job) for job in plan.jobs.values()])


def _job_status(plan: Plan, store: Store, job: Job) -> JobStatus:
    state = store.state(job.key)
    last = store.last_attempt(job.key) if state in ("running", "failed", "lost") else None
    log = str(last.log) if last else ""
    if state == "running" and last:
        return JobStatus(job, state, {k: v for k, v in last.progress.items() if k in ("done", "of")}, log=log)
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
