"""How long `clpd plan` and `clpd status` take, as whole processes, on stores of many finished cells.

`python benchmarks/status.py [--cells 100 300 1000] [--times 5]`. Cells are the quickstart's five arms with more
seeds; the artifacts are fabricated: manifests as long as real ones, no weights.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job, Plan

FILE = Path(__file__).parents[1] / "ablations" / "quickstart.yaml"
ARMS = 5
DONE = 0.9
"""Of the jobs that train or evaluate; the rest is pending, and the data is made, as `clpd plan` then wants it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", type=int, default=[100, 300, 1000])
    parser.add_argument("--times", type=int, default=5, help="the median of this many is told")
    arguments = parser.parse_args()
    print(f"{'cells':>6} {'jobs':>6} {'plan s':>8} {'status s':>9} {'plan ms/cell':>13} {'status ms/cell':>15}")
    for cells in arguments.cells:
        seeds = f"seeds={list(range(cells // ARMS))}"
        plan = build_plan(load_ablation(FILE, [seeds]), FILE)
        with tempfile.TemporaryDirectory() as folder:
            fabricate(Path(folder), plan)
            took = {verb: seconds(verb, seeds, folder, arguments.times) for verb in ("plan", "status")}
        per_cell = [f"{took[verb] / len(plan.cells) * 1000:.2f}" for verb in ("plan", "status")]
        print(
            f"{len(plan.cells):6} {len(plan.jobs):6} {took['plan']:8.2f} {took['status']:9.2f} "
            f"{per_cell[0]:>13} {per_cell[1]:>15}"
        )


def fabricate(store: Path, plan: Plan) -> None:
    """Artifacts without content, each with the attempt that made it."""
    jobs = [job for job in plan.jobs.values() if job.kind not in ("corpus", "difficulty")]
    for job in jobs[: int(len(jobs) * DONE)]:
        artifact, attempt = store / "artifacts" / job.key, store / "attempts" / job.key / "1"
        artifact.mkdir(parents=True)
        attempt.mkdir(parents=True)
        (artifact / "manifest.json").write_text(json.dumps(_manifest(job), indent=1, sort_keys=True))
        (attempt / "ended.json").write_text(json.dumps({"how": "published", "time": "2026-01-01T00:00:00+00:00"}))
        (attempt / "owner.json").write_text("{}")


def _manifest(job: Job) -> dict[str, object]:
    return {
        "kind": job.kind,
        "label": job.label,
        "key": job.key,
        "spec": job.spec.model_dump(mode="json"),
        "parents": job.parents,
        "seconds": 100.0,
        "packages": {f"package{i}": "1.2.3" for i in range(60)},
        "files": {f"file{i}": {"sha256": "0" * 64, "bytes": 1000} for i in range(6)},
    }


def seconds(verb: str, seeds: str, store: str, times: int) -> float:
    """The median over `times` processes, after one that is not counted."""
    program = "from clpd_bench.cli.app import main; main()"
    command = [sys.executable, "-c", program, verb, str(FILE), "--set", seeds, "--store", store]
    took = []
    for _ in range(times + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        took.append(time.perf_counter() - started)
    return statistics.median(took[1:])


if __name__ == "__main__":
    main()
