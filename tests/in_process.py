"""`clpd run` and `clpd tune` with their jobs in this process, for tests that are not about worker processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from clpd_bench.launch import run
from clpd_bench.launch.processes import job_environment
from clpd_bench.launch.watch.status import Status, status_of
from clpd_bench.launch.worker import one_thread, work
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


@contextmanager
def jobs_in_process() -> Iterator[None]:
    """While it lasts, a run works through the plan as it is stored, in a worker's environment, without a worker."""

    def run_here(
        plan: Plan, plan_file: Path, store: Store, workers: int, show: Callable[[Status], None]
    ) -> run.Outcome:
        stored = Plan.from_json(json.loads(plan_file.read_text()))
        threads = torch.get_num_threads()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in job_environment().items():
                patch.setenv(name, value)
            one_thread()
            try:
                work(stored, store, list(stored.jobs), lambda: False)
            finally:
                torch.set_num_threads(threads)
        return run.Outcome(status_of(plan, store), False, [])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "run_here", run_here)
        yield
