"""A store with a launch on disk, and answers of Slurm's commands in the form in which a real 22.05 gave them.

What is played back: `squeue -h -r -t all -u ... -o '%i|%A|%T|%r|%k'`, `sacct -X -n -P -j ... -o
JobID,State,ExitCode,Elapsed` and the line of `scontrol show config` that names the cluster.

Job numbers are made up, and so is OUT_OF_MEMORY: the cluster that was asked limits no memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm import queue, records
from clpd_bench.launch.slurm.batches import Batch
from clpd_bench.launch.slurm.liveness import open_store
from clpd_bench.launch.slurm.records import Launch
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store, durable

TINY = Path(__file__).parents[1] / "launch" / "tiny.yaml"


class CannedSlurm:
    """Attributes:
    calls: names of the commands that were called.
    squeue: lines to answer with, in which `LAUNCH` stands for the launch's id; None: it fails.
    sacct: lines to answer with; None: there is no accounting.
    cancelled: ids given to scancel.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plan = build_plan(load_ablation(TINY, []), TINY)
        self._root = folder / "store"
        self.calls: list[str] = []
        self.squeue: list[str] | None = []
        self.sacct: list[str] | None = None
        self.cancelled: list[str] = []
        self.launches: list[Launch] = []
        self._monkeypatch = monkeypatch
        for name in ("SLURM_JOB_ID", "SLURM_CLUSTER_NAME", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(queue, "run", self._run)

    @property
    def store(self) -> Store:
        """The store as a process opens it that is started now."""
        return open_store(self._root)

    def key(self, label: str) -> str:
        return next(key for key, job in self.plan.jobs.items() if job.label == label)

    def launch(self, *arrays: list[list[str]], ablation: str = "tiny", gpus: float = 0.0) -> Launch:
        """Records a launch; each array is a list of batches, each batch a list of labels."""
        launch = Launch.new(ablation, TINY, Path("site.yaml"))
        made = [Batch(tuple(map(self.key, b)), "p", frozenset(), frozenset(), None) for a in arrays for b in a]
        numbers = iter(range(len(made)))
        records.write(self.store.root, launch, made, [[next(numbers) for _ in a] for a in arrays], {"p": gpus})
        durable.write_json(records.plan_file(records.folder(self.store.root, launch.id)), self.plan.to_json())
        self.launches.append(launch)
        return launch

    def in_job(self, raw: str, array: str | None = None, cluster: str = "lab") -> None:
        """From now on this process is in a Slurm job."""
        self._monkeypatch.setenv("SLURM_JOB_ID", raw)
        self._monkeypatch.setenv("SLURM_CLUSTER_NAME", cluster)
        if array:
            self._monkeypatch.setenv("SLURM_ARRAY_JOB_ID", array.split("_")[0])
            self._monkeypatch.setenv("SLURM_ARRAY_TASK_ID", array.split("_")[1])

    def outside(self) -> None:
        for name in ("SLURM_JOB_ID", "SLURM_CLUSTER_NAME", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
            self._monkeypatch.delenv(name, raising=False)

    def lose(self, label: str, raw: str, array: str | None = None) -> None:
        """An attempt in that Slurm job that ended without a word."""
        self.in_job(raw, array)
        with self.store.claim(self.key(label)):
            pass
        self.outside()

    def publish(self, label: str, seconds: float) -> None:
        with self.store.claim(self.key(label)) as attempt:
            attempt.publish({"seconds": seconds, "label": label})

    def _run(self, *command: str) -> str:
        self.calls.append(command[0])
        if command[0] == "scancel":
            self.cancelled += command[1:]
            return ""
        if command[0] == "scontrol":
            return "ClusterName             = lab\nCommunicationParameters = (null)\n"
        lines = self.squeue if command[0] == "squeue" else self.sacct
        if lines is None:
            raise UserError(f"{command[0]} failed: Unable to contact slurm controller (connect failure)")
        ids = self.launches[0].id if self.launches else ""
        return "".join(line.replace("LAUNCH", ids) + "\n" for line in lines)
