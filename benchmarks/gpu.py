"""What this suite does on a GPU: whether it is right there, how fast, how near to its forecasts. Under nine minutes.

    python benchmarks/gpu.py --out gpu.json               # all parts
    python benchmarks/gpu.py --out gpu.json --only step   # some
    python benchmarks/gpu.py --shrunk                     # a try without a GPU: the same code, tiny sizes
    python benchmarks/gpu.py --markdown gpu.json          # tables of an earlier run

It wants Python 3.11, torch 2.11, transformers 5.17 and this package's small dependencies; no network and no weights. On
a machine without a package index, carry wheels of lm-eval, datasets, trl and liger-kernel with what they want. A case
whose package is missing says which, and costs nothing else. (liger-kernel is not in the extra `benchmarks`: its wheel
declares triton, which a CUDA build of torch brings along.)

Each part is a process of its own with its own limit. A result is printed, and the JSON file rewritten, as soon as it is
there: what a kill ends is no more than what was going on. `WRONG` is a check that failed. Memory is that of tensors, by
torch's allocator; GiB are 2^30 bytes. Code 0: all that could run did, and was right; 1: something failed or was late;
2: there is no GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from on_gpu.parts import PARTS, SHRUNK
from on_gpu.results import results_of
from on_gpu.runner import Outcome, run_part, write_json
from on_gpu.tables import tables


def main(words: Sequence[str] | None = None) -> int:
    table = "\n".join(f"  {name:14} {part.seconds:3.0f} s  {part.about}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"parts, in their order, with their limits:\n{table}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="where results go, rewritten after each")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", default=list(PARTS), help="these, and card")
    parser.add_argument("--shrunk", action="store_true", help="tiny sizes, on the CPU where there is no GPU")
    parser.add_argument("--markdown", type=Path, metavar="FILE.json", help="print the tables of a run, and do no more")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.markdown:
        print("\n".join(tables(json.loads(arguments.markdown.read_text()))))
        return 0
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if arguments.part:
        stream_part(arguments.part, arguments.shrunk, device)
        return 0
    if device == "cpu" and not arguments.shrunk:
        print("No GPU is here that torch sees. `--shrunk` tries everything on the CPU, in tiny sizes.", file=sys.stderr)
        return 2
    # `timeout` and schedulers end a command by this: parts, which are sessions of their own, are to end with it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    return run([name for name in PARTS if name in ("card", *arguments.only)], arguments.shrunk, arguments.out)


def run(names: Sequence[str], shrunk: bool, out: Path | None) -> int:
    """All parts, one after the other; the exit code."""
    found_at = [str(Path(__file__).resolve().parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, found_at))  # a checkout need not be installed
    record: dict[str, Any] = {"began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "shrunk": shrunk}
    outcomes: dict[str, Outcome] = {}
    for name in names:

        def found(outcome: Outcome, name: str = name) -> None:
            if outcome.status == "running":
                print(outcome.results[-1], flush=True)
            outcomes[name] = outcome
            if out is not None:
                write_json(out, {**record, "parts": {key: one.as_json() for key, one in outcomes.items()}})

        command = [sys.executable, str(Path(__file__).resolve()), "--part", name, *(["--shrunk"] if shrunk else [])]
        outcome = run_part(command, PARTS[name].seconds * (SHRUNK if shrunk else 1), found)
        said = f" ({outcome.error})" if outcome.error else ""
        print(f"{name:12} {outcome.status} after {outcome.seconds:.1f} s of {outcome.limit:.0f} s{said}", flush=True)
    return int(any(outcome.status in ("failed", "late") for outcome in outcomes.values()))


def stream_part(name: str, shrunk: bool, device: str) -> None:
    """Results as lines of JSON on standard output; what libraries print there goes to standard error."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if PARTS[name].as_job:
        from clpd_bench.launch.device import repeatable
        from clpd_bench.launch.processes import job_environment

        os.environ.update(job_environment())
        repeatable()
    for result in results_of(name, PARTS[name].cases(shrunk, device)):
        print(json.dumps(result.as_json()), file=results, flush=True)


if __name__ == "__main__":
    sys.exit(main())
