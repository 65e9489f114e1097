"""What a Slurm task runs: the worker, on the keys of its batch.

`python -m clpd_bench.launch.slurm.task LAUNCH ARRAY`; the place in the array comes from Slurm.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.launch.device import set_up
from clpd_bench.launch.processes import StopFlag
from clpd_bench.launch.slurm import records
from clpd_bench.launch.slurm.liveness import job_of, open_store
from clpd_bench.launch.slurm.queue import run
from clpd_bench.launch.worker import into_own_log, work
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store, durable

IDLE_RUNS = 5


class Warned(StopFlag):
    """Asked to stop, too, by Slurm's warning that the time is nearly up."""

    def __init__(self) -> None:
        super().__init__()
        self.time_is_up = False
        signal.signal(signal.SIGUSR2, self._warn)

    def _warn(self, number: int, frame: Any) -> None:
        self.asked = self.time_is_up = True


def main() -> None:
    should_stop = Warned()
    place, number = Path(sys.argv[1]), int(sys.argv[2])
    index = int(os.environ.get("SLURM_ARRAY_TASK_ID") or 0)
    array = records.array(place, number)
    if array is None:
        raise SystemExit(f"{place} has no array {number}")
    keys = list(array.batches[index])
    plan = Plan.from_json(json.loads(records.plan_file(place).read_text()))
    store = open_store(place.parents[1])
    idle = place / "idle" / f"{number}-{index}-{os.environ.get('SLURM_PROCID', '0')}.json"
    before = _advance(store, keys)
    set_up(int(os.environ.get("SLURM_LOCALID", "0")))
    try:
        work(plan, store, keys, should_stop, on_stop="evicted", say=into_own_log)
    except UserError as error:
        raise SystemExit(str(error)) from None
    if not should_stop.asked or os.environ.get("SLURM_PROCID", "0") != "0":
        return
    if not should_stop.time_is_up and not _is_running():
        return  # cancelled, or preempted and requeued by Slurm
    runs = 0 if _advance(store, keys) != before else _idle_runs(idle) + 1
    durable.make_folder(idle.parent)
    durable.write_json(idle, {"runs": runs})
    if runs >= IDLE_RUNS:
        print(f"{runs} runs in a row got nowhere before they had to leave: not requeued", flush=True)
    elif any(store.may_claim(key) or store.state(key) == "running" for key in keys):
        _requeue()


def _is_running() -> bool:
    """Whether Slurm only gave notice, as it does with a grace time before preemption: it would take a job
    that leaves by itself now for one that is complete."""
    try:
        return run("squeue", "-h", "-j", _job(), "-o", "%T").strip() in ("RUNNING", "SIGNALING")
    except UserError:
        return False


def _job() -> str:
    job = job_of(os.environ)
    assert job, "run by Slurm alone"
    return str(job["id"])


def _advance(store: Store, keys: list[str]) -> list[object]:
    """What is different after any progress."""
    return [(store.is_done(key), store.advances(key)) for key in keys]


def _idle_runs(file: Path) -> int:
    return int((durable.read_json(file) or {}).get("runs", 0))


def _requeue() -> None:
    """Back into the queue, in the same place: what waits for this job goes on waiting."""
    # Of an array's elements one has the array's own number, by which all of them would be requeued.
    job = _job()
    print(f"asked to leave; requeueing {job}", flush=True)
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        print(f"not requeued: {done.stderr.strip()}; clpd launch again goes on", flush=True)


if __name__ == "__main__":
    main()
