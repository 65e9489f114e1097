"""What Slurm has in its queue, in one call; and taking jobs out of it."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from clpd_bench.errors import UserError

NAME = "Slurm"
MARK = "clpd"
SECONDS = 60
ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "NODE_FAIL", "OUT_OF_MEMORY"),
    *("PREEMPTED", "REVOKED", "TIMEOUT"),
}


@dataclass(frozen=True)
class Task:
    """A job or an array element in Slurm's queue.

    Attributes:
        id: as Slurm writes it: `123`, or `120_3` in an array.
        raw_id: the element's own number.
        reason: why it waits, or how it ended.
        comment: by which `launch` finds its own: `clpd:<launch>/<array>`.
    """

    id: str
    raw_id: str
    state: str
    reason: str
    comment: str

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or will; a job that Slurm requeues is alive."""
        return self.state not in ENDED

    @property
    def is_at_work(self) -> bool:
        """Whether it is at its jobs, or will be: what completes is alive and does nothing more."""
        return self.is_alive and self.state != "COMPLETING"

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return self.state == "RUNNING"

    @property
    def waits_for(self) -> str:
        """Why it has not come to a job: `Dependency`, or `behind others in a running job`."""
        if self.is_running:
            return "behind others in a running job"
        return self.reason if self.state == "PENDING" else self.state.lower()

    @property
    def index(self) -> int:
        """The place in its array, 0 for a plain job."""
        return int(self.id.partition("_")[2] or 0)


def run(*command: str) -> str:
    """What a Slurm command prints.

    Raises:
        UserError: it is not there, gave up, or did not answer.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise UserError(
            f"{command[0]} is not installed here",
            fix="Go to the cluster's login node, or bring up a cluster on this machine: make slurm-up",
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{command[0]} has not answered for {SECONDS} s", fix="Try again once Slurm answers") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise UserError(f"{command[0]} failed: {said[-1]}", fix="Try again once Slurm answers (scontrol ping)")
    return done.stdout


def tasks(users: Iterable[str] | None = None) -> list[Task]:
    """All that Slurm still knows of these users (by default, of this one): alive, or ended of late.

    Raises:
        UserError: Slurm could not be asked.
    """
    names = ",".join(sorted(users)) if users is not None else getpass.getuser()
    printed = run("squeue", "-h", "-r", "-t", "all", "-u", names, "-o", "%i|%A|%T|%r|%k")
    return [Task(*line.split("|", 4)) for line in printed.splitlines() if line.count("|") >= 4]


def cancel(ids: Iterable[str]) -> None:
    """Raises:
    UserError: Slurm could not be asked.
    """
    if wanted := list(ids):
        run("scancel", *wanted)


def cluster() -> str | None:
    """The name of the cluster whose Slurm answers here; None if it could not be asked."""
    if name := os.environ.get("SLURM_CLUSTER_NAME"):
        return name
    try:
        printed = run("scontrol", "show", "config")
    except UserError:
        return None
    found = re.search(r"^ClusterName\s*=\s*(\S+)", printed, re.MULTILINE)
    return found[1] if found else None


def living(tasks: Iterable[Task]) -> set[str]:
    """Names of those that run, or will.

    Not their numbers: all that pend of an array have the array's own, and so has the element that ran last.
    """
    return {task.id for task in tasks if task.is_alive}
