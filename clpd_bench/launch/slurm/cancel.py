"""Which Slurm tasks to take out of the queue, and who waits for what they would have made."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.launch.slurm import queue, records
from clpd_bench.launch.slurm.records import Queued
from clpd_bench.store import Store, durable


@dataclass(frozen=True)
class Cancellation:
    """Attributes:
    tasks: living ones of this user's launches of the ablation, or those of them that have certain keys.
    labels: {key: label} of what in them is not done yet.
    waiting: living tasks that stay and need something of that.
    others: {user: tasks} of launches of the ablation that other users submitted, which only they can cancel.
    """

    tasks: list[Queued]
    labels: dict[str, str]
    waiting: list[Queued]
    others: dict[str, int]

    def open_keys(self, task: Queued) -> list[str]:
        """What of a task's batch is not done yet."""
        return [key for key in task.keys if key in self.labels]


def find(ablation: str, keys: set[str] | None, store: Store) -> Cancellation:
    """Args:
        ablation: the plan's name.
        keys: whose tasks are meant; None for all.

    Raises:
        UserError: Slurm could not be asked.
    """
    known = {launch.id: launch for launch in records.launches(store.root)}
    mine = {name for name, launch in known.items() if launch.ablation == ablation}
    if not mine:
        return Cancellation([], {}, [], {})
    queued = [one for one in records.queued(store.root, queue.tasks(records.users(store.root))) if one.task.is_at_work]
    meant = [one for one in queued if one.launch in mine and (keys is None or keys & set(one.keys))]
    others: dict[str, int] = {}
    tasks = []
    for one in meant:
        user = known[one.launch].user
        if user == getpass.getuser():
            tasks.append(one)
        else:
            others[user] = others.get(user, 0) + 1
    jobs = {name: _jobs(store.root, name) for name in {one.launch for one in queued}}
    labels = {
        key: jobs[one.launch][key]["label"] for one in tasks for key in one.keys if not store.is_done(key)
    }  # fmt: skip
    gone = {id(one) for one in tasks}
    waiting = [one for one in queued if id(one) not in gone and _needs(one, jobs[one.launch], set(labels))]
    return Cancellation(tasks, labels, waiting, others)


def _jobs(store: Path, launch: str) -> dict[str, dict[str, Any]]:
    """{key: job as plain JSON} of a launch's plan."""
    plan = durable.read_json(records.plan_file(records.folder(store, launch))) or {}
    return {job["key"]: job for job in plan.get("jobs", [])}


def _needs(one: Queued, jobs: dict[str, dict[str, Any]], keys: set[str]) -> bool:
    """Whether any of these keys is needed, directly or through other jobs, by what the task works through."""
    seen: set[str] = set()
    looked_at: Iterable[str] = one.keys
    while looked_at := {parent for key in looked_at for parent in jobs[key]["parents"].values()} - seen:
        seen |= looked_at
    return bool(seen & keys)
