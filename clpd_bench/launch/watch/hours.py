"""Hours of a plan: used, left, and until when, as far as finished jobs tell."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from clpd_bench.costs.hours import Estimates
from clpd_bench.launch.watch.status import JobStatus, Status


@dataclass(frozen=True)
class Unit:
    """Attributes:
    seconds: that are left of it.
    needs: names of units that come before it.
    """

    seconds: float
    needs: frozenset[Hashable] = frozenset()


def makespan(units: Mapping[Hashable, Unit], slots: int) -> float | None:
    """Seconds until the last of the units ends, `slots` at a time, those named first being begun first;
    None where they wait for each other in a circle.

    Units that run now need nothing and stand first.
    """
    sorter: TopologicalSorter[Hashable] = TopologicalSorter({name: unit.needs for name, unit in units.items()})
    try:
        sorter.prepare()
    except CycleError:
        return None
    rank = {name: i for i, name in enumerate(units)}
    ready: list[tuple[int, Hashable]] = []
    under_way: list[tuple[float, int, Hashable]] = []
    now = 0.0
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, (rank[name], name))
        while ready and len(under_way) < slots:
            place, name = heapq.heappop(ready)
            heapq.heappush(under_way, (now + units[name].seconds, place, name))
        now, _, name = heapq.heappop(under_way)
        sorter.done(name)
    return now


def duration(minutes: float) -> str:
    """Minutes for people: `45 min`, `4 h`, `1 d 12 h`."""
    whole = math.ceil(minutes)
    days, rest = divmod(whole, 1440)
    hours, left = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (left, "min")) if n]
    return " ".join(parts[:2]) or "0 min"


@dataclass(frozen=True)
class Hours:
    """All in seconds; those of GPUs are 0 where no profile has any.

    Attributes:
        left: of jobs that are not done, as far as there are estimates.
        unknown: how many of them have none.
        end: until the last ends that runs or is bound to run; None where that is not known.
        slots: how much runs at a time now.
    """

    used: float
    used_gpu: float
    left: float
    left_gpu: float
    unknown: int
    end: float | None
    slots: int

    def to_json(self) -> dict[str, Any]:
        return vars(self)

    def text(self) -> str:
        """Two sentences at most; empty where nothing was used."""
        if not self.used:
            return ""
        said = f"Used {_amount(self.used, self.used_gpu)}"
        if self.left or self.unknown:
            rest = f"{self.unknown} jobs of which nothing alike has finished" if self.unknown else ""
            known = f"{_amount(self.left, self.left_gpu)}, by finished jobs like those" if self.left else ""
            said += f"; left {' and '.join(part for part in (known, rest) if part)}"
        if self.end is not None:
            at = datetime.now() + timedelta(seconds=self.end)
            said += f". Expected end in {duration(self.end / 60)}, {at:%d %b %H:%M}, with {self.slots} at a time as now"
        return said


def _amount(seconds: float, gpu_seconds: float) -> str:
    return duration(seconds / 60) + (f" ({_gpu_hours(gpu_seconds)} GPU-hours)" if gpu_seconds else "")


def _gpu_hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f}" if seconds >= 360 else "under 0.1"


def hours_of(status: Status) -> Hours:
    """Of the plan's jobs, whoever had them made."""
    gpus = status.queue.gpus if status.queue else {}
    measured = {job.job.key: job.seconds for job in status.jobs if job.state == "done"}
    estimate = Estimates(status.plan, measured).seconds
    begun = [job for job in status.jobs if job.state in ("done", "running")]
    left: dict[str, float | None] = {}
    for job in status.jobs:
        if job.state != "done":
            whole = estimate(job.job.key)
            left[job.job.key] = None if whole is None else max(0.0, whole - job.seconds)
    running = {_slot(job) for job in status.jobs if _runs(job)}
    return Hours(
        sum(job.seconds for job in begun),
        sum(job.seconds * gpus.get(job.job.key, 0.0) for job in begun if job.scheduler is not None),
        sum(seconds or 0.0 for seconds in left.values()),
        sum((seconds or 0.0) * gpus.get(key, 0.0) for key, seconds in left.items()),
        sum(seconds is None for seconds in left.values()),
        _end(status, left, running),
        len(running),
    )


def _slot(job: JobStatus) -> str:
    """What is worked through one after the other: a task's jobs, or one job."""
    return job.task.id if job.task else job.job.key


def _runs(job: JobStatus) -> bool:
    """Whether it, or the task that will come to it, runs."""
    return job.state == "running" or bool(job.task and job.task.is_running)


def _end(status: Status, left: dict[str, float | None], running: set[str]) -> float | None:
    bound = [job for job in status.jobs if status.is_bound_to_run(job)]
    unheard = status.queue is not None and status.queue.error
    if not running or unheard or any(left[job.job.key] is None for job in bound):
        return None
    unit_of = {job.job.key: _slot(job) for job in bound}
    seconds: dict[str, float] = dict.fromkeys((_slot(job) for job in bound if _slot(job) in running), 0.0)
    needs: dict[str, set[Hashable]] = {}
    for job in bound:
        unit = unit_of[job.job.key]
        seconds[unit] = seconds.get(unit, 0.0) + (left[job.job.key] or 0.0)
        if unit not in running:
            parents = {unit_of[key] for key in job.job.parents.values() if key in unit_of}
            needs.setdefault(unit, set()).update(parents - {unit})
    units: dict[Hashable, Unit] = {unit: Unit(total, frozenset(needs.get(unit, ()))) for unit, total in seconds.items()}
    return makespan(units, len(running))
