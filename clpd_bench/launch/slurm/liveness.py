"""Whether the owner of an attempt lives, by what Slurm says of the job that it was in."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.launch.slurm import queue
from clpd_bench.store import Owner, Store

SECONDS = 30
"""For which an answer of squeue is believed."""


def job_of(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What owner files say of the Slurm job of this environment, None outside Slurm.

    `id` is squeue's name for it: `123`, or `120_3` in an array, whose elements not yet started share one number. In
    which `cluster` it counts is None where Slurm does not say.
    """
    array, task = environment.get("SLURM_ARRAY_JOB_ID"), environment.get("SLURM_ARRAY_TASK_ID")
    name = f"{array}_{task}" if array and task else environment.get("SLURM_JOB_ID")
    if not name:
        return None
    return {
        "id": name,
        "cluster": environment.get("SLURM_CLUSTER_NAME"),
        "restarts": int(environment.get("SLURM_RESTART_COUNT") or 0),
        "user": os.getuid(),
    }


class Liveness:
    """Judges owners by one squeue every half minute at most, which is asked only if an owner was in a Slurm job."""

    def __init__(self) -> None:
        self._own = job_of(os.environ)
        self._cluster = functools.cache(queue.cluster)
        self._alive: set[str] | None = None
        self._asked = -float("inf")

    def hear(self, alive: set[str] | None) -> None:
        """Takes what squeue has just said to somebody else: names of living jobs, None where it failed."""
        self._alive, self._asked = alive, time.monotonic()

    def lives(self, owner: Owner) -> bool | None:
        """Whether the owner's Slurm job lives in this run of it; None where Slurm cannot tell."""
        job, own = owner.scheduler, self._own
        if job is None:
            return None
        if own and all(own[name] == job[name] for name in ("id", "cluster")) and job["restarts"] < own["restarts"]:
            return False
        # Two clusters may share a store and number their jobs alike, and squeue was asked for this user's jobs: of
        # anyone else's its silence says nothing.
        if job["user"] != os.getuid() or job["cluster"] is None or job["cluster"] != self._cluster():
            return None
        if time.monotonic() - self._asked >= SECONDS:
            try:
                self.hear(queue.living(queue.tasks()))
            except UserError:
                self.hear(None)
        return None if self._alive is None else job["id"] in self._alive


def open_store(root: Path, liveness: Liveness | None = None) -> Store:
    """The store, as every process opens it, in Slurm and outside."""
    return Store(root, lives=(liveness or Liveness()).lives, scheduler=job_of(os.environ))
