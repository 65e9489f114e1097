"""A worker that goes through a plan; prints its memory after each job. Run by test_worker_memory.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from clpd_bench.launch.device import repeatable
from clpd_bench.launch.worker import work
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def anonymous() -> int:
    """Bytes of this process's own in memory now; files that are mapped are the system's cache, and not among them."""
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) * 1024


def main(plan_file: Path, store: Path) -> None:
    plan = Plan.from_json(json.loads(plan_file.read_text()))
    kinds = {job.label: job.kind for job in plan.jobs.values()}

    def say(what: str) -> None:
        label, _, outcome = what.rpartition(": ")
        if not outcome.startswith("attempt"):
            print(json.dumps({"label": label, "kind": kinds[label], "outcome": outcome, "bytes": anonymous()}))

    repeatable()
    work(plan, Store(store), list(plan.jobs), lambda: False, say=say)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
