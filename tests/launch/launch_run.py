"""Whole runs of a tiny ablation through the command line, in this process or with real workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from in_process import typed

TINY = Path(__file__).parent / "tiny.yaml"


FINISHED = "a finished run of the tiny ablation"
"""The name of what `finish` makes."""


def finish(folder: Path) -> None:
    """A run that nobody interrupted, and its report."""
    run = Run(folder)
    run("run")
    run("report")


class Run:
    """The command `clpd` on the tiny ablation with a store of its own."""

    def __init__(self, folder: Path, file: Path = TINY) -> None:
        self.folder, self.file = folder, file
        self.store = folder / "store"
        self.should_stop: Callable[[], bool] = lambda: False
        """Whether Ctrl-C comes to what is called."""

    def __call__(self, verb: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """In this process, in which its one worker works, too."""
        return self.typed(verb, str(self.file), *words, check=check)

    def typed(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = typed(*words, "--store", self.store, folder=self.folder, should_stop=self.should_stop)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self, verb: str, *words: str) -> subprocess.Popen[str]:
        """In a process of its own, with workers of theirs."""
        main = [sys.executable, "-c", "from clpd_bench.cli.app import main; main()"]
        command = [*main, verb, str(self.file), *words, "--store", str(self.store)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=self.folder)

    def status(self, *words: str) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self("status", "--json", *words).stdout)
        return status

    def manifests(self) -> dict[str, dict[str, Any]]:
        """By label."""
        found = [json.loads(f.read_text()) for f in self.store.glob("artifacts/*/manifest.json")]
        return {manifest["label"]: manifest for manifest in found}

    def forget(self, *labels: str) -> None:
        """Removes artifacts, which so are to be made again."""
        for label, manifest in self.manifests().items():
            if label.startswith(labels):
                shutil.rmtree(self.store / "artifacts" / manifest["key"])


def children(pid: int) -> list[int]:
    """Processes started by one: the workers of a run."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def wait_until(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def kill_run(process: subprocess.Popen[str]) -> None:
    """SIGKILL to a run and its workers, all at once."""
    for pid in [*children(process.pid), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
