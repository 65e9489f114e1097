"""What test_recipes.py runs in a process of its own, which imports a patched copy of the package: `FILE STORE`.

It plans a file, works out costs, trains the first student of arm `new`, and prints what came of it as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from typer.testing import CliRunner

import clpd_bench
from clpd_bench.cli.app import app
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.device import repeatable
from clpd_bench.launch.worker import work
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store

repeatable()
file, store = Path(sys.argv[1]), Store(Path(sys.argv[2]))
words = ["plan", str(file), "--corpus", "--json", "--store", sys.argv[2]]
planned = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
plan = build_plan(load_ablation(file), file)
student = next(cell.model for cell in plan.cells if cell.name == "new")
work(plan, store, [*plan.ancestors(student), student], lambda: False)
try:
    load_ablation(file, ["targets.top_k=4"])
    refused = ""
except UserError as error:
    refused = str(error)
out = {
    "refused": refused,
    "package": clpd_bench.__file__,
    "exposure": planned["exposure"]["new"]["by_bucket_stage_teacher"],
    "flops": planned["cost"]["jobs"][student]["flops"],
    "state": store.state(student),
}
print(json.dumps(out))
