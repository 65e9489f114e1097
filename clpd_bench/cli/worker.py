"""One of `clpd run`'s processes: `python -m clpd_bench.cli.worker PLAN STORE PLACE` works through the keys of a plan,
on the GPU at its place where there are some."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from clpd_bench.cli.options import open_store
from clpd_bench.errors import UserError
from clpd_bench.launch.device import set_up
from clpd_bench.launch.processes import StopFlag
from clpd_bench.launch.worker import into_own_log, work
from clpd_bench.plan.plan import Plan


def main() -> None:
    should_stop = StopFlag()
    set_up(int(sys.argv[3]))
    plan = Plan.from_json(json.loads(Path(sys.argv[1]).read_text()))
    try:
        work(plan, open_store(Path(sys.argv[2])), list(plan.jobs), should_stop, say=into_own_log)
    except UserError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
