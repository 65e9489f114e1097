"""Whether the owner of an attempt is dead."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from clpd_bench.store.ledger import Entry
from clpd_bench.store.owner import Owner


class Watch:
    """An observer of other people's attempts, who remembers when it saw which heartbeat first."""

    def __init__(self, dead_after: float, alive_slurm_jobs: Callable[[str], set[str] | None] | None) -> None:
        self._dead_after = dead_after
        self._alive_slurm_jobs = alive_slurm_jobs
        self._seen: dict[tuple[str, str | None], tuple[object, float]] = {}

    def finds_dead(self, attempt: Entry) -> bool:
        """Whether the owner of this attempt is known to be dead by now.

        What the owner wrote is to be read (again) after this call: before it, more may have come.
        """
        owner = attempt.owner
        if owner is not None:
            runs = owner.runs_here()
            if runs is not None:
                return not runs
            if owner.was_restarted_by_slurm():
                return True
            if self._is_missing_in_slurm(attempt, owner):
                return True
        return self._heart_stands_still(attempt, owner.token if owner else None)

    def _is_missing_in_slurm(self, attempt: Entry, owner: Owner) -> bool:
        # Two clusters may share a store and number their jobs alike, and squeue was asked for this
        # user's jobs: of anyone else's its silence says nothing.
        if not owner.slurm_ids or owner.slurm_cluster is None or self._alive_slurm_jobs is None:
            return False
        known = self._alive_slurm_jobs(owner.slurm_cluster)
        if known is None or not known.isdisjoint(owner.slurm_ids):
            return False
        return attempt.folder.stat().st_uid == os.getuid()

    def _heart_stands_still(self, attempt: Entry, token: str | None) -> bool:
        # The observer's own clock times the observer's own looks: wall clocks of two hosts differ
        # by minutes. It counts from the end of the first look to the start of this one, since a
        # file server may hold up either.
        started = time.monotonic()
        beat = attempt.heartbeat.get("beat")
        who = (str(attempt.folder), token)
        last_beat, since = self._seen.get(who, (None, None))
        if since is None or beat != last_beat:
            self._seen[who] = (beat, time.monotonic())
            return False
        return started - since >= self._dead_after
