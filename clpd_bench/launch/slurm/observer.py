"""A plan looked at from outside, again and again: from disk, and by one squeue where it was launched."""

from __future__ import annotations

from pathlib import Path

from clpd_bench.launch.slurm.liveness import Liveness, open_store
from clpd_bench.launch.slurm.view import view_of
from clpd_bench.launch.watch.status import Status, status_of
from clpd_bench.plan.plan import Plan


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
