"""Real workers on a plan whose jobs need no torch, and what may happen to them.

A worker is a fork of this process that runs `launch.worker.work`; `Trouble` says what befalls it. The
jobs write checkpoints, resume from them, and leave files that depend on nothing but settings and inputs.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clpd_bench.distillation.context import Context
from clpd_bench.errors import Interrupted, UserError
from clpd_bench.jobs.body import Measured
from clpd_bench.launch import worker
from clpd_bench.launch.provenance import provenance
from clpd_bench.plan.code_versions import code_hash
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.parts.difficulty import Column
from clpd_bench.settings.specs import DifficultySpec
from clpd_bench.store import Store, clock, durable, owner

STEPS = 4
FULL = 28  # the exit code of a worker that a full disk ended
PARENTS = {0: [], 1: [], 2: [0], 3: [0], 4: [0, 1], 5: [2, 3], 6: [4], 7: [5, 6], 8: [7], 9: [7, 3]}


def synthetic(numbers: Iterable[int] = range(10)) -> Plan:
    """The jobs of these numbers; a key is the same in every plan that has it."""
    jobs = {}
    for i in numbers:
        spec = DifficultySpec(difficulty=Column(name="column", column=f"job{i}"))
        parents = {f"input{p}": f"key{p}" for p in PARENTS[i]}
        jobs[f"key{i}"] = Job(f"key{i}", "difficulty", f"job {i}", spec, parents)
    return Plan("storm", "storm.yaml", jobs, [], [], {}, {}, {})


@dataclass(frozen=True)
class Trouble:
    """What befalls a worker.

    Attributes:
        kill_at: SIGKILL before its n-th change to the disk.
        full_at: before its n-th change the disk becomes full: by `fill`, or by refusals from there on.
        lost_answers: the share of renames that are done and answered by an error.
        skew: hours by which its wall clock is wrong.
        host: the host that it believes to be on.
        pause: seconds a step of a job takes.
    """

    kill_at: int | None = None
    full_at: int | None = None
    fill: Callable[[], None] | None = None
    lost_answers: float = 0.0
    skew: float = 0.0
    host: str | None = None
    pause: float = 0.0
    seed: int = 0


def body(spec: DifficultySpec, inputs: dict[str, Path], out: Path, context: Context, pause: float = 0.0) -> Measured:
    """A chain of hashes with a checkpoint at each step."""
    given = [json.loads((path / "value.json").read_text())["value"] for _, path in sorted(inputs.items())]
    value, start = _newest([context.checkpoints, *context.earlier]) or (_hash(spec.difficulty.column, *given), 0)
    for step in range(start + 1, STEPS + 1):
        value = _hash(value, str(step))
        time.sleep(pause)
        if step < STEPS:
            durable.make_folder(context.checkpoints)
            durable.replace_json(context.checkpoints / f"step-{step}.json", {"value": value, "check": _hash(value)})
            context.checkpointed()
        context.progress(step, STEPS)
        if context.should_stop() and step < STEPS:
            raise Interrupted(f"after step {step}")
    durable.make_folder(out / "deep")
    _write(out / "deep" / "bulk.bin", value.encode() * 100)
    _write(out / "value.json", json.dumps({"value": value}).encode())
    return Measured(details={"resumed_from": start})


def _newest(folders: list[Path]) -> tuple[str, int] | None:
    found = [path for folder in folders if folder.is_dir() for path in folder.glob("step-*.json")]
    for path in sorted(found, key=lambda p: p.name, reverse=True):
        record = durable.read_json(path)
        if record and record["check"] == _hash(record["value"]):
            return record["value"], int(path.stem.removeprefix("step-"))
    return None


def _hash(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    durable.before("write", path)
    path.write_bytes(content)


def start(root: Path, trouble: Trouble | None = None, plan: Plan | None = None, **store: Any) -> int:
    """Starts a worker on all keys of a plan; its pid. It exits with 0 at its end, and with `FULL`."""
    provenance()  # asks git and pip; once, not in each worker
    code_hash("difficulty")
    pid = os.fork()
    if pid:
        return pid
    try:
        code = _worker(root, trouble or Trouble(), plan or synthetic(), store)
    except BaseException:
        traceback.print_exc()
        code = 1
    os._exit(code)


def _worker(root: Path, trouble: Trouble, plan: Plan, options: dict[str, Any]) -> int:
    _befall(trouble, root)
    try:
        work_here(root, plan, trouble.pause, **options)
    except UserError as error:
        return FULL if "disk is full" in str(error) else 1
    return 0


def work_here(root: Path, plan: Plan, pause: float = 0.0, **store: Any) -> None:
    """A worker in this process, whom nothing befalls."""

    def run(*arguments: Any) -> Measured:
        return body(*arguments, pause=pause)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "POLL_SECONDS", 0.01)
        here = Store(root, **{"heartbeat_every": 600.0, **store})
        worker.work(plan, here, list(plan.jobs), lambda: False, lambda kind: run)


def _befall(trouble: Trouble, root: Path) -> None:
    dice, count = random.Random(trouble.seed), 0

    def before(operation: str, path: Path) -> None:
        nonlocal count
        count += 1
        if count == trouble.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if trouble.full_at is not None and trouble.fill and count == trouble.full_at:
            trouble.fill()
        elif trouble.full_at is not None and not trouble.fill and count >= trouble.full_at and operation != "remove":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def lossy(change: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
        def done_and_refused(source: Path, target: Path) -> None:
            change(source, target)
            if dice.random() < trouble.lost_answers:
                with (root / "lost_answers").open("a") as log:
                    log.write(f"{target}\n")
                raise OSError(errno.ENOENT, "done; the answer got lost, and it was asked again")

        return done_and_refused

    durable.before = before
    durable.rename, durable.replace = lossy(durable.rename), lossy(durable.replace)
    if trouble.host:
        owner.socket = SimpleNamespace(gethostname=lambda: trouble.host)
    if trouble.skew:
        real, skew = clock.datetime, timedelta(hours=trouble.skew)
        clock.datetime = SimpleNamespace(now=lambda zone: real.now(zone) + skew)
        seconds, passed = time.time, skew.total_seconds()
        time.time = lambda: seconds() + passed


def wait(pid: int) -> int:
    """The worker's exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def work(root: Path, trouble: Trouble | None = None, plan: Plan | None = None, **store: Any) -> int:
    """One worker to its end."""
    return wait(start(root, trouble, plan, **store))


class Fleet:
    """Workers side by side; none outlives the context."""

    def __init__(self) -> None:
        self.pids: list[int] = []

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *error: object) -> None:
        for pid in self.pids:
            self.send(pid, signal.SIGKILL)
        self.wait()

    def start(self, root: Path, trouble: Trouble | None = None, plan: Plan | None = None, **store: Any) -> int:
        self.pids.append(start(root, trouble, plan, **store))
        return self.pids[-1]

    def send(self, pid: int, number: int) -> None:
        if pid in self.pids:
            os.kill(pid, number)  # not waited for yet: the pid is still its own

    def wait(self, *pids: int) -> list[int]:
        """The exit codes of these workers, or of all."""
        codes = []
        for pid in pids or tuple(self.pids):
            codes.append(wait(pid))
            self.pids.remove(pid)
        return codes
