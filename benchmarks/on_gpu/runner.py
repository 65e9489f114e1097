"""Runs each part in a process of its own: what one of them does to itself, or how long it takes, is no other's."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from on_gpu.results import ERROR_LINES, Result

Status = Literal["running", "done", "failed", "late", "missing package"]


@dataclass
class Outcome:
    """Of a part.

    Attributes:
        error: the last lines that its process wrote, where it failed as a whole.
        limit: seconds.
    """

    limit: float
    status: Status = "running"
    seconds: float = 0.0
    results: list[Result] = field(default_factory=list)
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "results": [result.as_json() for result in self.results]}


def run_part(command: list[str], limit: float, found: Callable[[Outcome], None]) -> Outcome:
    """Runs a command that prints results as lines of JSON; kills it with all that it has started when it is late.

    Args:
        found: called with what there is after each result, and at the end.
    """
    out, began = Outcome(limit), time.monotonic()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True, errors="replace"
        )
        assert process.stdout
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
        try:
            while (line := lines.get(timeout=max(0.0, limit - (time.monotonic() - began)))) is not None:
                out.results.append(Result.of_json(json.loads(line)))
                out.seconds = time.monotonic() - began
                found(out)
            process.wait(timeout=max(0.0, limit - (time.monotonic() - began)))
        except (queue.Empty, subprocess.TimeoutExpired):
            out.status = "late"
        finally:
            _kill_group(process)
        out.seconds = time.monotonic() - began
        if out.status != "late":
            errors.seek(0)
            _judge(out, process.returncode, errors.read())
    found(out)
    return out


def _judge(out: Outcome, code: int, said: str) -> None:
    if code:
        out.error = "\n".join([f"ended with code {code}", *said.splitlines()[-ERROR_LINES:]])
    if code or any(result.failed for result in out.results):
        out.status = "failed"
    else:
        out.status = "missing package" if any(result.missing for result in out.results) else "done"


def _read(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _kill_group(process: subprocess.Popen[str]) -> None:
    """The part, and whatever it has started that is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def write_json(file: Path, record: dict[str, Any]) -> None:
    """Whole, or as it was before."""
    making = file.with_name(f"{file.name}.making")
    making.write_text(json.dumps(record, indent=1) + "\n")
    making.replace(file)
