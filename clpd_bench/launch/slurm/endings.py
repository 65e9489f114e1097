"""What is left of Slurm jobs that ended: their own output, how they ended by Slurm's accounts, what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwuid
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.launch.remedies import Remedy
from clpd_bench.launch.slurm import queue, records
from clpd_bench.launch.watch.scheduler import Loss

FIELDS = "JobID,State,ExitCode,Elapsed"
AGAIN = "clpd launch again goes on from its checkpoints"


@dataclass(frozen=True)
class Ending:
    """Attributes:
    id: as squeue wrote it: `123`, or `120_3` in an array.
    state: as sacct writes it, `CANCELLED by 1000` being one.
    exit_code: `status:signal`.
    elapsed: as sacct writes it.
    """

    id: str
    state: str
    exit_code: str
    elapsed: str

    @property
    def reason(self) -> str:
        """In words."""
        return f"Slurm job {self.id}: {_with_name(self.state)} after {self.elapsed} (exit code {self.exit_code})"

    @property
    def remedy(self) -> Remedy:
        state = self.state.split()[0]
        if state == "FAILED" and self.exit_code in ("0:9", "9:0", "137:0"):
            return KILLED
        return REMEDIES.get(state, OTHER)


class Accounts:
    """What Slurm leaves of the jobs that owners of a store's attempts were in."""

    scheduler = queue.NAME

    def __init__(self, store: Path) -> None:
        self._store = store

    def outputs(self, scheduler: Any, task: queue.Task | None = None) -> list[Path]:
        """Files of the processes of an owner's job, or else of a task, in the newest launch that has any."""
        name = scheduler["id"] if scheduler else task.id if task else None
        for launch in records.launches(self._store) if name else []:
            found = sorted(records.logs(records.folder(self._store, launch.id)).glob(f"{name}_*_log.out"))
            if found:
                return found
        return []

    def losses(self, owners: Mapping[str, Any]) -> dict[str, Loss]:
        """{key: how the Slurm job of its owner ended}; sacct is asked once, and only if some owner was in a job.

        Args:
            owners: {key: what the owner's file says of its scheduler}.
        """
        jobs = {key: one["id"] for key, one in owners.items() if one}
        known = endings(jobs.values())
        return {
            key: Loss(known[name].remedy, known[name].reason) if name in known else Loss(LOST_IN_SLURM)
            for key, name in jobs.items()
        }


def endings(ids: Iterable[str]) -> dict[str, Ending]:
    """{name of a job: how it ended}, of those that ended and that Slurm's accounts know of: none where it keeps
    no accounts."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    try:
        printed = queue.run("sacct", "-X", "-n", "-P", "-j", ",".join(wanted), "-o", FIELDS)
    except UserError:
        return {}
    found: dict[str, Ending] = {}
    for line in printed.splitlines():
        name, *rest = line.split("|")
        if len(rest) == 3 and rest[0].split()[0] in queue.ENDED:
            found[name] = Ending(name, *rest)
    return found


def _with_name(state: str) -> str:
    """`CANCELLED by 1000`, with the user's name."""
    match = re.fullmatch(r"(CANCELLED by) (\d+)", state)
    if not match:
        return state
    try:
        return f"{match[1]} {getpwuid(int(match[2])).pw_name}"
    except KeyError:
        return state


LOST_IN_SLURM = Remedy(
    "its Slurm job ended under it: killed for want of memory, by scancel or by hand, or its node went away",
    f"Read the Slurm job's output; {AGAIN}. If it happens again, raise memory of its profile in the site file",
)
KILLED = Remedy(
    "its process was killed by SIGKILL: by the kernel for want of memory, or by hand",
    f"If nobody did it by hand, raise memory of its profile in the site file; {AGAIN}",
)
OTHER = Remedy("its Slurm job ended under it", f"Read the Slurm job's output; {AGAIN}")
_GONE = Remedy("its node failed, or went away", f"{AGAIN}; if that node fails again, leave it out (extra: exclude)")
REMEDIES = {
    "OUT_OF_MEMORY": Remedy(
        "its Slurm job took more memory than it had asked for",
        "Raise memory of its profile in the site file, or lower training.micro_batch_tokens (or "
        f"evaluation.batch_size), which changes no result; {AGAIN}",
    ),
    "TIMEOUT": Remedy(
        "the time of its Slurm job was up before it could leave a checkpoint and be requeued",
        f"Raise time of its profile in the site file, or warning_seconds; {AGAIN}",
    ),
    "DEADLINE": Remedy("its Slurm job's deadline had come", AGAIN[0].upper() + AGAIN[1:]),
    "NODE_FAIL": _GONE,
    "BOOT_FAIL": _GONE,
    "CANCELLED": Remedy("its Slurm job was cancelled", f"If you want it after all: {AGAIN}"),
    "PREEMPTED": Remedy("its Slurm job had to make room for another", AGAIN[0].upper() + AGAIN[1:]),
    "FAILED": Remedy(
        "its Slurm job ended in an error",
        f"Read the Slurm job's output; once the cause is gone, {AGAIN}",
    ),
}
