"""A run that is killed on the card and goes on: how far its weights are from an uninterrupted one's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from clpd_bench.launch.device import repeatable
from on_gpu.results import Case, Check, Values, relative
from on_gpu.small import small, trained

STEPS, KILLED_AT = 8, 5
KINDS: dict[str, dict[str, Any]] = {
    "float32": {"precision": "float32"},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16, dropout": {"precision": "bfloat16", "dropout": 0.1},
}


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    """The killed runs go on beside the others, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        places = {kind: Path(folder) / kind.replace(", ", "-") for kind in KINDS}
        killed = {kind: _start(place, kind, shrunk, device) for kind, place in places.items()}
        for kind, place in places.items():
            yield Case(kind, partial(_compared, place, kind, shrunk, device, killed[kind]))


def _start(folder: Path, kind: str, shrunk: bool, device: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "on_gpu.resume", str(folder), kind, json.dumps(shrunk), device]
    return subprocess.Popen(command, cwd=Path(__file__).parents[1], stderr=subprocess.PIPE, text=True)


def _compared(
    folder: Path, kind: str, shrunk: bool, device: str, killed: subprocess.Popen[str]
) -> tuple[Values, Check | None]:
    """To the bit. The same run twice tells whether it is the card that cannot, or resuming."""
    once, twice = (_run(folder.with_suffix(f".{i}"), kind, shrunk, device, _nothing, seconds=1e9) for i in (1, 2))
    _, said = killed.communicate()
    if killed.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the run that was to be killed ended with code {killed.returncode}: {said[-500:]}")
    steps: list[None] = []
    resumed = _run(folder, kind, shrunk, device, lambda: steps.append(None))
    if len(steps) != STEPS - KILLED_AT + 1:  # that of the kill has no checkpoint
        raise RuntimeError(f"{len(steps)} steps were made after the kill, and not {STEPS - KILLED_AT + 1}")
    again = max(relative(w, once[key]) for key, w in twice.items())
    apart = max(relative(w, once[key]) for key, w in resumed.items())
    return {"same_run_twice_apart": again}, Check(apart, 0.0)


def _run(
    folder: Path, kind: str, shrunk: bool, device: str, tick: Callable[[], None], seconds: float = 0.0
) -> dict[str, Any]:
    """The student's weights, on the CPU.

    Args:
        seconds: between two checkpoints.
    """
    settings = {"steps": STEPS, "checkpoint_seconds": seconds, **KINDS[kind]}
    student, _ = trained(small(shrunk), device, folder, tick, **settings)
    return {key: w.detach().cpu() for key, w in student.named_parameters()}


def _nothing() -> None:
    pass


def _until_killed(folder: Path, kind: str, shrunk: bool, device: str) -> None:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done == KILLED_AT:
            os.kill(os.getpid(), signal.SIGKILL)

    _run(folder, kind, shrunk, device, tick)


if __name__ == "__main__":
    repeatable()
    _until_killed(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), sys.argv[4])
