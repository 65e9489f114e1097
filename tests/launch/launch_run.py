"""Whole runs of a tiny ablation through the command line, with real workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TINY = Path(__file__).parent / "tiny.yaml"


class Run:
    """The command `clpd` on the tiny ablation with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", "from clpd_bench.cli.app import main; main()", *words, "--store", str(self.store)]

    def __call__(self, verb: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = self.command(verb, str(TINY), *words)
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=240)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self, *words: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command("run", str(TINY), *words), stdout=pipe, stderr=pipe, text=True, cwd=self.folder
        )

    def status(self, *words: str) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self("status", "--json", *words).stdout)
        return status

    def manifests(self) -> dict[str, dict[str, Any]]:
        """By label."""
        found = [json.loads(f.read_text()) for f in self.store.glob("artifacts/*/manifest.json")]
        return {manifest["label"]: manifest for manifest in found}


def children(pid: int) -> list[int]:
    """Processes started by one: the workers of a run."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


def kill_run(process: subprocess.Popen[str]) -> None:
    """SIGKILL to a run and its workers, all at once."""
    for pid in [*children(process.pid), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
