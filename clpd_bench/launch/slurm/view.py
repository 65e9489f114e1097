"""A plan looked at from outside: the launches that took jobs of it, and what living Slurm tasks are at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.launch.slurm import queue, records
from clpd_bench.launch.slurm.liveness import Liveness, open_store
from clpd_bench.launch.slurm.queue import Task
from clpd_bench.launch.slurm.records import Launch
from clpd_bench.launch.watch.status import Status, status_of
from clpd_bench.plan.plan import Plan


@dataclass(frozen=True)
class View:
    """One look at Slurm's queue.

    Attributes:
        launches: those that took jobs of the plan, newest first; never empty.
        gpus: {key: GPUs while it is worked on}, of the newest launch that took it.
        tasks: {key: the living task that works through it}, a running one where several do.
        alive: names of living jobs; None where Slurm could not be asked.
        error: why not.
    """

    launches: tuple[Launch, ...]
    gpus: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    alive: set[str] | None = None
    error: str = ""

    @property
    def scheduler(self) -> str:
        return queue.NAME

    @property
    def site(self) -> str:
        """The site file of the newest launch."""
        return self.launches[0].site

    def is_of(self, task: Task, scheduler: Any) -> bool:
        """Whether an owner's `scheduler` says that it was in this task."""
        return scheduler is not None and bool(task.id == scheduler["id"])

    def to_json(self) -> dict[str, Any]:
        return {
            "scheduler": queue.NAME,
            "launches": [launch.id for launch in self.launches],
            "error": self.error or None,
        }


def view_of(keys: Iterable[str], store: Path) -> View | None:
    """Asks Slurm once, if a launch of this store took any of the keys; None if none did."""
    wanted = set(keys)
    launches, gpus = [], dict[str, float]()
    for launch in records.launches(store):
        taken = [
            (key, one.gpus)
            for one in records.arrays(records.folder(store, launch.id))
            for batch in one.batches
            for key in batch
            if key in wanted
        ]
        if taken:
            launches.append(launch)
            gpus = dict(taken) | gpus
    if not launches:
        return None
    try:
        found = queue.tasks(records.users(store))
    except UserError as error:
        return View(tuple(launches), gpus, error=error.message)
    tasks: dict[str, Task] = {}
    for one in records.queued(store, found):
        if one.task.is_at_work:
            for key in wanted & set(one.keys):
                if key not in tasks or one.task.state == "RUNNING":
                    tasks[key] = one.task
    return View(tuple(launches), gpus, tasks, queue.living(found))


class Observer:
    """Where nothing of the plan was launched, Slurm is asked of owners that were in its jobs alone."""

    def __init__(self, plan: Plan, root: Path) -> None:
        self._plan = plan
        self._liveness = Liveness()
        self.store = open_store(root, self._liveness)

    def look(self) -> Status:
        """What became of each job, and is becoming of it, as of now."""
        view = view_of(self._plan.jobs, self.store.root)
        if view:
            self._liveness.hear(view.alive)
        return status_of(self._plan, self.store, view)
