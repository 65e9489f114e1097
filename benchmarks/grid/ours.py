"""`clpd run` as users type it, and the processor time of its processes while its worker goes from job to job.

Linux: processor times of a process that runs are read from /proc, in hundredths of a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clpd_bench.launch.processes import worker_environment
from clpd_bench.plan.plan import Job, Plan

PROGRAM = "from clpd_bench.cli.app import main; main()"
WATCH_SECONDS = 0.02
TEACHERS, EVALUATION = "teachers: training", "evaluation"
REST = "rest: corpora, planning, checks, store, waiting"
IMPORTS = {
    "clpd run": [
        (REST, "clpd_bench.cli.app, clpd_bench.cli.run, clpd_bench.launch.run, clpd_bench.jobs.corpus"),
    ],
    "its worker": [
        (REST, "clpd_bench.cli.worker"),
        (TEACHERS, "clpd_bench.jobs.model, transformers.models.llama.modeling_llama"),
        (EVALUATION, "clpd_bench.jobs.evaluation, lm_eval.evaluator, lm_eval.tasks._index, datasets"),
    ],
}
"""What each of the two processes has imported by its end, and which part of the work is the first to ask for it."""


def run(file: Path, store: Path, sets: list[str], start_up: dict[str, float]) -> dict[str, Any]:
    """`clpd run` with all that it starts: `seconds` of processor time, the `start_up` among them, and all `parts`.

    Args:
        start_up: `imports()`.
    """
    command = [sys.executable, "-c", PROGRAM, "run", str(file), "--store", str(store), "--workers", "1"]
    command += [word for one in sets for word in ("--set", one)]
    log = store.parent / "clpd_run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=worker_environment())
    watched = Watched(store / "logs" / "worker-1.log", process.pid)
    while (waited := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        watched.look()
        time.sleep(WATCH_SECONDS)
    _, status, used = waited
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"clpd run failed:\n{log.read_text()[-3000:]}")
    seconds = used.ru_utime + used.ru_stime
    parts = watched.parts(plan_of(store))
    parts[REST] = seconds - sum(parts.values())
    for part, spent in start_up.items():
        parts[part] -= spent
    parts["start-up"] = sum(start_up.values())
    return {"seconds": seconds, "start_up": parts["start-up"], "parts": parts}


def imports() -> dict[str, float]:
    """Processor seconds of imports by the part that asks for them first, in two processes that do nothing else."""
    spent: dict[str, float] = defaultdict(float)
    for steps in IMPORTS.values():
        program = "import time\n" + "".join(f"import {modules}\nprint(time.process_time())\n" for _, modules in steps)
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, env=worker_environment()
        )
        times = [0.0, *map(float, done.stdout.split())]
        for (part, _), before, after in zip(steps, times, times[1:], strict=False):
            spent[part] += after - before
    return dict(spent)


class Watched:
    """What the worker had used up at each line of its log: one for each job that begins, and each that ends.

    Args:
        parent: who starts the worker.
    """

    def __init__(self, log: Path, parent: int) -> None:
        self._log, self._children = log, Path(f"/proc/{parent}/task/{parent}/children")
        self._used, self._at = 0.0, list[tuple[float, str]]()

    def look(self) -> None:
        if not self._log.is_file():
            return
        lines = self._log.read_text().splitlines()
        # git, which is asked for the revision, is a child for a moment; a process that is gone has no file.
        with contextlib.suppress(OSError):
            self._used = max([self._used, *map(seconds_of, self._children.read_text().split())])
        self._at += [(self._used, line.split(" ", 1)[1]) for line in lines[len(self._at) :]]

    def parts(self, plan: Plan) -> dict[str, float]:
        """Seconds between two lines go to the job that they begin and end, by what it is."""
        jobs = {job.label: job for job in plan.jobs.values()}
        seconds: dict[str, float] = defaultdict(float)
        for (before, begins), (after, _) in pairwise(self._at):
            label, _, what = begins.rpartition(": ")
            if what.startswith("attempt"):
                seconds[part_of(jobs[label])] += after - before
        return dict(seconds)


def seconds_of(process: str) -> float:
    """Processor time of a process that runs, and of those that it has waited for."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def part_of(job: Job) -> str:
    if job.kind == "model":
        return "students" if "initial" in job.parents else TEACHERS
    return EVALUATION if job.kind == "evaluation" else "targets"


def plan_of(store: Path) -> Plan:
    (file,) = (store / "plans").glob("*.json")
    return Plan.from_json(json.loads(file.read_text()))


def results(store: Path) -> dict[str, Any]:
    """`response_loss` {model: {split: {example: nats}}} and generated `outputs` {model: {example: text}}."""
    plan = plan_of(store)
    losses: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    outputs = {}
    for job in plan.jobs.values():
        if job.kind == "evaluation":
            folder, model = store / "artifacts" / job.key, name_of(plan.jobs[job.parents["model"]])
            losses[model][job.spec.split] = losses_of(folder)  # type: ignore[union-attr]
            if written := {row["item"]: row["output"] for row in _rows(folder) if row["filter"] == "strict"}:
                outputs[model] = written
    return {"response_loss": losses, "outputs": outputs}


def losses_of(evaluation: Path) -> dict[str, float]:
    """Of each example that was evaluated, the mean nats a response token."""
    return {row["item"]: row["score"] for row in _rows(evaluation) if row["metric"] == "response_loss"}


def _rows(evaluation: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(evaluation / "items.parquet").to_pylist())


def name_of(job: Job) -> str:
    """`sft/0` of `student sft/0`, `large` of `model large`."""
    return job.label.removeprefix("model ").removeprefix("student ")
