"""A whole plan on this machine, told to a terminal: data, downloads, checks, workers."""

from __future__ import annotations

import sys
from collections.abc import Callable

from clpd_bench.launch.fetching import fetch_all
from clpd_bench.launch.local import Outcome, run_here
from clpd_bench.launch.prepare import data_exists, make_data
from clpd_bench.launch.progress import ProgressView
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def run_plan(plan: Plan, store: Store, workers: int, check: Callable[[], None]) -> Outcome:
    """Progress and what became of workers go to standard error.

    Args:
        check: what has to hold before any worker starts; it finds the data made.

    Raises:
        UserError: the data, or what `check` finds.
    """
    if not data_exists(plan, store):
        print("making the corpora ...", file=sys.stderr)
    make_data(plan, store)
    fetch_all(plan, store)
    check()
    plan_file = store.write_plan(plan.to_json())
    with ProgressView() as view:
        outcome = run_here(plan, plan_file, store, workers, view)
    for sentence in outcome.crashed:
        print(sentence, file=sys.stderr)
    return outcome
