"""The worker: given a plan and some keys, for each key it claims, runs and publishes.

One process goes through many jobs, so that torch and lm-eval are imported once; here and on a cluster alike.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Literal

from clpd_bench.distillation.context import Context
from clpd_bench.errors import Interrupted, UserError
from clpd_bench.jobs.body import Body, body
from clpd_bench.launch.memory import give_memory_back
from clpd_bench.launch.processes import output_to
from clpd_bench.launch.provenance import device_name, provenance, revision
from clpd_bench.launch.remedies import full_disk, is_disk_full
from clpd_bench.plan.code_versions import code_hash
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.specs import Kind
from clpd_bench.store import Attempt, Store
from clpd_bench.store.clock import now

POLL_SECONDS = 0.2
OnStop = Literal["released", "evicted"]
"""By a person, who is not held against the job; by a scheduler, which is, where no checkpoint was added."""


def work(
    plan: Plan,
    store: Store,
    keys: list[str],
    should_stop: Callable[[], bool],
    bodies: Callable[[Kind], Body] = body,
    on_stop: OnStop = "released",
    say: Callable[[str], None] = lambda what: None,
) -> None:
    """Works through `keys` in the plan's order, until each is done, failed, or blocked.

    While another worker has what is needed next, it waits. Where nobody does, the rest is recorded as
    blocked and left. A key with a damaged artifact is told of and left, and the others go on.

    Args:
        bodies: what runs a job, by its kind.
        on_stop: how an attempt ends that `should_stop` interrupts.
        say: called with each attempt and its outcome.

    Raises:
        UserError: the disk is full, which every other job would find, too. What was done is kept.
    """
    try:
        _work(plan, store, keys, should_stop, bodies, on_stop, say)
    except OSError as error:
        if is_disk_full(error):
            raise full_disk(store.root) from error
        raise


def _work(
    plan: Plan,
    store: Store,
    keys: list[str],
    should_stop: Callable[[], bool],
    bodies: Callable[[Kind], Body],
    on_stop: OnStop,
    say: Callable[[str], None],
) -> None:
    open_keys = [key for key in plan.jobs if key in set(keys)]
    damaged: set[str] = set()
    while open_keys and not should_stop():
        open_keys = [key for key in open_keys if key not in damaged and not store.is_done(key)]
        attempt = _next_claim(plan, store, open_keys, damaged)
        if attempt:
            job = plan.jobs[attempt.key]
            say(f"{job.label}: attempt {attempt.number}")
            run_job(job, store, attempt, should_stop, bodies, on_stop)
            give_memory_back()
            say(f"{job.label}: {store.state(job.key)}")
        elif not _may_go_on(plan, store, open_keys):
            break
        else:
            time.sleep(POLL_SECONDS)
    if not should_stop():
        for key in open_keys:
            missing = [parent for parent in plan.jobs[key].parents.values() if not store.is_done(parent)]
            if missing and key not in damaged:
                store.record_blocked(key, missing)


def into_own_log(what: str) -> None:
    """A line in the worker's own log, whose disk may be full."""
    with contextlib.suppress(OSError):
        print(f"{now()} {what}", flush=True)


def _next_claim(plan: Plan, store: Store, keys: list[str], damaged: set[str]) -> Attempt | None:
    """A claim on the first key that can be had; those whose artifact is damaged are added to `damaged`."""
    for key in keys:
        if _is_ready(plan, store, key):
            try:
                attempt = store.claim(key)
            except UserError as error:
                damaged.add(key)
                print(f"{plan.jobs[key].label}: {error}", file=sys.stderr, flush=True)
                continue
            if attempt:
                return attempt
    return None


def _is_ready(plan: Plan, store: Store, key: str) -> bool:
    return all(store.is_done(parent) for parent in plan.jobs[key].parents.values())


def _may_go_on(plan: Plan, store: Store, keys: list[str]) -> bool:
    """Whether something that is needed runs, or can be had by now: another worker may have published
    an input, or given a key back, after we looked for a claim.

    Parents are looked at before their children, since that is the way in which work moves.
    """
    needed = {ancestor for key in keys for ancestor in plan.ancestors(key)}
    for key in (key for key in plan.jobs if key in needed):
        if store.state(key) == "running" or (key in keys and _is_ready(plan, store, key) and store.may_claim(key)):
            return True
    return False


def run_job(
    job: Job,
    store: Store,
    attempt: Attempt,
    should_stop: Callable[[], bool],
    bodies: Callable[[Kind], Body] = body,
    on_stop: OnStop = "released",
) -> None:
    """Runs one claimed job; its outcome is in the store: published, failed, or given back.

    Raises:
        OSError: the disk is full. The job counts as lost, and as nobody's fault.
    """
    inputs = {role: store.artifact(key) for role, key in job.parents.items()}
    with attempt, output_to(attempt.log):
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
            measured = bodies(job.kind)(job.spec, inputs, attempt.out, context)
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
                "git_diff": store.keep_diff(revision().diff) if revision().diff else None,
            }
            attempt.publish(manifest)
        except Interrupted:
            attempt.evict() if on_stop == "evicted" else attempt.release()
        except Exception as error:  # whatever a body raises is the job's failure, not the worker's
            with contextlib.suppress(OSError), attempt.log.open("a") as log:  # its disk may be full
                traceback.print_exception(error, file=log)
            if is_disk_full(error):
                attempt.lose_to_full_disk(error)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(store.root)) from error
            attempt.fail(error, label=job.label)
