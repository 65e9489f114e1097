"""Who works on an attempt, and what can be said at once about whether that process still runs."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clpd_bench.store.clock import now

_PROC = Path("/proc")


@dataclasses.dataclass(frozen=True)
class Owner:
    """A process that claimed something, told apart from every other by its `token`.

    `process` is the start of the process, which a later process of the same pid does not share; `pid_space` says among
    whose pids the pid counts (two containers may have one host name). `scheduler` is a JSON value that whoever opened
    the store understands, and the store does not; None outside schedulers.
    """

    token: str
    host: str
    pid: int
    process: str | None
    pid_space: str | None
    since: str
    scheduler: Any = None

    @classmethod
    def this_process(cls, scheduler: Any = None) -> Owner:
        """The calling process, with a token of its own for each call."""
        pid = os.getpid()
        return cls(
            token=uuid.uuid4().hex,
            host=socket.gethostname(),
            pid=pid,
            process=process_start(pid),
            pid_space=_pid_space(),
            since=now(),
            scheduler=scheduler,
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Owner | None:
        """The owner in an owner file, None if something is missing there."""
        fields = dataclasses.fields(cls)
        if data is None or any(f.name not in data for f in fields if f.default is dataclasses.MISSING):
            return None
        return cls(**{f.name: data[f.name] for f in fields if f.name in data})

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, as it stands in owner files and manifests."""
        return dataclasses.asdict(self)

    def runs_here(self) -> bool | None:
        """Whether the process runs on this host; None where that can't be seen from here."""
        if self.process is None:
            return None
        if (self.host, self.pid_space) != (socket.gethostname(), _pid_space()):
            return None
        start = process_start(self.pid)
        if start is None and _is_hidden(self.pid):
            return None
        return start == self.process


def process_start(pid: int) -> str | None:
    """A text that no other process with this pid shares; None if no such process is seen."""
    if not _PROC.joinpath("self/stat").exists():
        return _process_start_from_ps(pid)
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text(errors="replace")
        boot = _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return None
    # The name in parentheses may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, start_ticks = fields[0], fields[19]
    # A zombie was killed and waits for its parent to notice.
    return None if state in "ZX" else f"{boot} {start_ticks}"


def _process_start_from_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    # lstart is a local time in words.
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    state, _, start = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else start.strip()


def _is_hidden(pid: int) -> bool:
    # Where /proc is mounted with hidepid, the processes of other users don't show in it.
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return False


def _pid_space() -> str | None:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return None
