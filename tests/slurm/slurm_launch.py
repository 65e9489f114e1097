"""A launch on a Slurm of virtual nodes, as a user types it; and what must hold of its store at any time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from launch_run import Run
from slurm_cluster import Cluster

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store
from clpd_bench.store.ledger import entries

HERE = Path(__file__).parent
FAULTS = HERE / "faults.yaml"
TINY = HERE.parent / "launch" / "tiny.yaml"

PROFILE = {"partition": "gpu", "gpus": 1, "cpus": 1, "memory": "2G", "time": 30}


class Launch(Run):
    """`clpd`, in this process, on one ablation with a store of its own.

    `profile` and `site` replace what stands in the site file.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        file: Path = FAULTS,
        *,
        sets: Iterable[str] = (),
        profile: dict[str, Any] | None = None,
        **site: Any,
    ) -> None:
        super().__init__(folder, file)
        self.cluster = cluster
        self.site = folder / "site.yaml"
        self._sets = [word for one in sets for word in ("--set", one)]
        self._done: set[str] = set()
        self.describe(profile, **site)

    def describe(self, profile: dict[str, Any] | None = None, **site: Any) -> None:
        """Writes the site file."""
        settings = {"use": {"default": "p"}, "warning_seconds": 10, "shared": ["/"], **site}
        self.site.write_text(yaml.safe_dump({"profiles": {"p": {**PROFILE, **(profile or {})}}, **settings}))

    def command(self, verb: str, *words: str) -> list[str]:
        main = "from clpd_bench.cli.app import main; main()"
        return [
            *(sys.executable, "-c", main, verb, str(self.file), *words),
            *(*self._sets, "--store", str(self.store)),
        ]

    def __call__(self, verb: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        with patch.dict(os.environ, self.cluster.env, clear=True):
            return super().__call__(verb, *words, *self._sets, check=check)

    def launch(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self("launch", "--site", str(self.site), *words, check=check)

    def plan(self) -> Plan:
        sets = [word for word in self._sets if word != "--set"]
        return build_plan(load_ablation(self.file, sets), self.file)

    def key(self, label: str) -> str:
        return next(key for key, job in self.plan().jobs.items() if job.label == label)

    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs of `clpd status --json` by label; what was done must still be."""
        jobs = json.loads(self("status", "--json").stdout)["jobs"]
        done = {job["label"] for job in jobs if job["state"] == "done"}
        assert self._done <= done, f"no longer done: {self._done - done}"
        self._done = done
        return {job["label"]: job for job in jobs}

    def states(self) -> dict[str, str]:
        return {label: job["state"] for label, job in self.jobs().items()}

    def wait_for(self, holds: Callable[[dict[str, str]], object], what: str, timeout: float = 480) -> None:
        """Until it holds of the states by label, as `clpd status` tells them."""
        self.cluster.wait_until(lambda: self._nudged(holds), timeout, what)

    def _nudged(self, holds: Callable[[dict[str, str]], object]) -> object:
        self.cluster.release_requeued()
        if holds(self.states()):
            return True
        time.sleep(0.5)
        return False

    def wait_until_done(self, timeout: float = 900) -> None:
        """Until everything is in the store, and then by `clpd status`: to plan anew for each look takes from the jobs
        the processors that they need."""
        keys, store, done = set(self.plan().jobs), Store(self.store), set[str]()

        def all_done() -> bool:
            self.cluster.release_requeued()
            now = {key for key in keys if store.is_done(key)}
            assert done <= now, f"no longer done: {done - now}"
            done.update(now)
            time.sleep(0 if now == keys else 0.2)
            return now == keys

        self.cluster.wait_until(all_done, timeout, "everything is done")
        assert set(self.states().values()) == {"done"}

    def wait_for_checkpoint(self, label: str, number: int = 1) -> str:
        """Until attempts at a job have left checkpoints; the job's key."""
        key, store = self.key(label), Store(self.store)
        self.cluster.wait_until(lambda: store.advances(key) >= number, 240, f"{number} checkpointed {label}")
        return key

    def slurm_job(self, label: str) -> str:
        """The Slurm job in which the newest attempt at a job was made."""
        last = Store(self.store).last_attempt(self.key(label))
        assert last
        assert last.owner
        return last.owner.scheduler["id"]

    def attempts(self, label: str) -> int:
        folder = self.store / "attempts" / self.key(label)
        return sum(entry.is_attempt for entry in entries(folder))

    def look(self) -> None:
        """What must hold of the store whatever happened: nothing half, nothing damaged, nothing twice."""
        store = Store(self.store)
        for artifact in (self.store / "artifacts").iterdir():
            assert store.verify(artifact.name) == [], artifact
        for folder in (self.store / "attempts").iterdir():
            endings = [entry.ending for entry in entries(folder)]
            assert endings.count("published") <= 1, (folder, endings)

    def equals(self, uninterrupted: dict[str, dict[str, str]]) -> None:
        """Every model and every outcome is, bit for bit, that of a run that nothing befell."""
        assert outcomes(self.store) == uninterrupted

    def queue(self) -> dict[str, str]:
        """State by Slurm id of what is alive."""
        alive = ("PENDING", "RUNNING", "CONFIGURING", "REQUEUED", "SUSPENDED")
        return {job.id: job.state for job in self.cluster.jobs() if job.state in alive}


def outcomes(store: Path) -> dict[str, dict[str, str]]:
    """The hashes of weights and items by key."""
    found = {}
    for file in store.glob("artifacts/*/manifest.json"):
        files = json.loads(file.read_text())["files"]
        found[file.parent.name] = {
            name: files[name]["sha256"] for name in ("model.safetensors", "items.parquet") if name in files
        }
    return found
