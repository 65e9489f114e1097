"""A plan looked at from outside, again and again: from disk, and by one squeue where it was launched."""

from __future__ import annotations

import functools
from pathlib import Path

from clpd_bench.launch.slurm import queue
from clpd_bench.launch.slurm.view import View, look
from clpd_bench.launch.watch.status import Status, status_of
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


class Observer:
    """Where nothing of the plan was launched, Slurm is not asked, and need not be there."""

    def __init__(self, plan: Plan, root: Path) -> None:
        self._plan = plan
        self._view: View | None = None
        self._cluster = functools.cache(queue.cluster)
        self.store = Store(root, alive_slurm_jobs=self._alive)

    def look(self) -> Status:
        """What became of each job, and is becoming of it, as of now."""
        self._view = look(self._plan.jobs, self.store.root)
        return status_of(self._plan, self.store, self._view)

    def _alive(self, cluster: str) -> set[str] | None:
        known = self._view.alive if self._view else None
        return known if known is not None and cluster == self._cluster() else None
