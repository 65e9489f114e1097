"""The worker: given a plan and some keys, for each key it claims, runs and publishes.

`python -m clpd_bench.launch.worker PLAN --store DIR [--keys KEY ...]`. One process goes through many
jobs, so that torch and lm-eval are imported once. The same code runs here and in a Slurm task.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clpd_bench.errors import Interrupted
from clpd_bench.jobs.bodies import body
from clpd_bench.jobs.context import Context
from clpd_bench.launch.provenance import device_name, provenance
from clpd_bench.plan.code import code_hash
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.store import Attempt, Store

POLL_SECONDS = 0.2


def work(plan: Plan, store: Store, keys: list[str], should_stop: Callable[[], bool]) -> None:
    """Works through `keys` in the plan's order, until each is done, failed, or blocked.

    While another worker has what is needed next, it waits. Where nobody does, the rest is recorded as
    blocked and left.
    """
    open_keys = [key for key in plan.jobs if key in set(keys)]
    while open_keys and not should_stop():
        open_keys = [key for key in open_keys if not store.is_done(key)]
        attempt = _next_claim(plan, store, open_keys)
        if attempt:
            run_job(plan.jobs[attempt.key], store, attempt, should_stop)
        elif not _somebody_works(plan, store, open_keys):
            break
        else:
            time.sleep(POLL_SECONDS)
    if not should_stop():
        for key in open_keys:
            missing = [parent for parent in plan.jobs[key].parents.values() if not store.is_done(parent)]
            if missing:
                store.record_blocked(key, missing)


def _next_claim(plan: Plan, store: Store, keys: list[str]) -> Attempt | None:
    for key in keys:
        if all(store.is_done(parent) for parent in plan.jobs[key].parents.values()):
            attempt = store.claim(key)
            if attempt:
                return attempt
    return None


def _somebody_works(plan: Plan, store: Store, keys: list[str]) -> bool:
    needed = {ancestor for key in keys for ancestor in plan.ancestors(key)}
    return any(store.state(key) == "running" for key in needed)


def run_job(job: Job, store: Store, attempt: Attempt, should_stop: Callable[[], bool]) -> None:
    """Runs one claimed job; its outcome is in the store: published, failed, or given back."""
    inputs = {role: store.artifact(key) for role, key in job.parents.items()}
    with attempt, _output_to(attempt.log):
        attempt.progress(label=job.label)
        context = Context(
            attempt.checkpoints,
            attempt.earlier_checkpoints(),
            should_stop,
            lambda done, of: attempt.progress(done=done, of=of),
            attempt.checkpointed,
        )
        started = time.monotonic()
        try:
            measured = body(job.kind)(job.spec, inputs, attempt.out, context)
            manifest = {
                "kind": job.kind,
                "label": job.label,
                "spec": job.spec.model_dump(mode="json"),
                "parents": job.parents,
                "code": job.code,
                "code_hash": code_hash(job.kind),
                "libraries": job.libraries,
                "seconds": round(time.monotonic() - started, 3),
                "tokens": measured.tokens,
                "flops": measured.flops,
                "details": measured.details,
                "device": device_name() if job.kind in ("model", "targets", "evaluation") else None,
                **provenance(),
            }
            attempt.publish(manifest)
        except Interrupted:
            attempt.release()
        except Exception as error:  # whatever a body raises is the job's failure, not the worker's
            attempt.fail(error, label=job.label)


@contextlib.contextmanager
def _output_to(log: Path) -> Iterator[None]:
    """All that this process and its libraries print, into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--keys", nargs="*", help="default: all keys of the plan")
    arguments = parser.parse_args()
    should_stop = StopFlag()
    import torch

    # A process a core beats threads, and one thread adds in one order.
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    plan = Plan.from_json(json.loads(arguments.plan.read_text()))
    work(plan, Store(arguments.store), arguments.keys or list(plan.jobs), should_stop)


if __name__ == "__main__":
    main()
