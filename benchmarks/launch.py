"""How long `clpd launch` takes to submit many cells, and `clpd status` with all of them in the queue.

On the development cluster: `eval "$(slurm/dev/up.sh)"`, then `python benchmarks/launch.py [--cells 100 300 1000]`.
Cells are the quickstart's five arms with more seeds; jobs are submitted held, so that nothing runs, and taken out
of the queue afterwards. Corpora are made before the clock starts. Once with students and evaluations in one batch,
once with evaluations on another profile, which makes a Slurm job of each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILE = Path(__file__).parents[1] / "ablations" / "quickstart.yaml"
ARMS = 5
HELD = "{partition: gpu, gpus: 1, time: 60, extra: {hold: true}}"
SITES = {
    "one": f"profiles: {{gpu: {HELD}}}\nuse: {{default: gpu}}\nshared: [/]\n",
    "two": f"profiles: {{gpu: {HELD}, cpu: {HELD}}}\nuse: {{default: gpu, kinds: {{evaluation: cpu}}}}\nshared: [/]\n",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", type=int, default=[100, 300, 1000])
    arguments = parser.parse_args()
    print(
        f"{'cells':>6} {'profiles':>8} {'Slurm jobs':>10} {'arrays':>6} {'launch s':>9} {'ms/cell':>8} {'status s':>9}"
    )
    for cells in arguments.cells:
        for profiles, site in SITES.items():
            with tempfile.TemporaryDirectory() as folder:
                measure(cells, profiles, site, Path(folder))


def measure(cells: int, profiles: str, site: str, folder: Path) -> None:
    """Prints a line."""
    (folder / "site.yaml").write_text(site)
    options = ["--set", f"seeds={list(range(cells // ARMS))}", "--store", str(folder / "store")]
    clpd("plan", str(FILE), "--corpus", *options)
    try:
        took, said = clpd("launch", str(FILE), "--site", str(folder / "site.yaml"), "--json", *options)
        arrays = json.loads(said)["arrays"]
        jobs = sum(len(array["batches"]) for array in arrays)
        looked, said = clpd("status", str(FILE), "--json", *options)
        counts = json.loads(said)["counts"]
        assert sum(kinds.get("queued", 0) for kinds in counts.values()) > cells, counts
    finally:
        clpd("cancel", str(FILE), "--yes", *options)
    print(f"{cells:6} {profiles:>8} {jobs:10} {len(arrays):6} {took:9.1f} {took / cells * 1000:8.1f} {looked:9.2f}")


def clpd(*words: str) -> tuple[float, str]:
    """Seconds of a whole process, and what it printed."""
    command = [sys.executable, "-c", "from clpd_bench.cli.app import main; main()", *words]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return time.perf_counter() - started, done.stdout


if __name__ == "__main__":
    main()
