"""Workers as processes: their environment, where their output goes, when they are asked to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def job_environment() -> dict[str, str]:
    """One thread a process, no hub, no progress bars of libraries'; products on a GPU that add in one order.

    While a job runs, its freed memory stays with it: taken anew from the system, each large tensor is zeroed first,
    some per cent of a step. Between jobs it is given back.
    """
    return {
        "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        **dict.fromkeys(OFFLINE, "1"),
        "OMP_NUM_THREADS": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TQDM_DISABLE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def worker_environment() -> dict[str, str]:
    """This process's own, and that of jobs."""
    return {**os.environ, **job_environment()}


@contextlib.contextmanager
def output_to(log: Path) -> Iterator[None]:
    """All that this process and its libraries print, into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab") as file:
        saved = os.dup(1), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # the disk of the log may be full
                stream.flush()
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


class StopFlag:
    """True once SIGINT or SIGTERM has come, or the process that started this one is gone."""

    def __init__(self) -> None:
        self.asked = False
        self._parent = os.getppid()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True

    def __call__(self) -> bool:
        return self.asked or os.getppid() != self._parent
