"""How long the analysis of many evaluations takes, and how much memory, from their files to the table.

`python benchmarks/analysis.py [--arms 4] [--seeds 10] [--benchmarks 100] [--items 14000]`. An
evaluation is an items.parquet as jobs write it, without the generated text. The files of one benchmark are made
and read again for every other one, so that they need no gigabytes; each is read as often as it would be.
`--frame` hands `compare` one DataFrame instead, of as many benchmarks as given.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from clpd_bench.analysis.comparisons import compare, compare_benchmarks
from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.analysis.outcomes import Evaluation
from clpd_bench.evaluation.items import text_hash, write_items

FOUR = ("standard_kd", "data_ordering", "teacher_scheduling", "clpd")
COLUMNS = ["item", "metric", "filter", "score", "prompt_hash", "target_hash"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", type=int, default=4, help="at least 4")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--benchmarks", type=int, default=100)
    parser.add_argument("--items", type=int, default=14000)
    parser.add_argument("--frame", action="store_true")
    arguments = parser.parse_args()
    arms = [*FOUR, *(f"arm_{i}" for i in range(4, arguments.arms))]
    names = [f"benchmark_{i:03}" for i in range(arguments.benchmarks)]
    declaration = Declaration(FOUR[0], (*arms[1:], "interaction"), "holm", 0.05, names[0], "exact_match", margin=0.01)
    with tempfile.TemporaryDirectory() as folder:
        runs = write(Path(folder), arms, arguments.seeds, arguments.items)
        before, started = peak(), time.perf_counter()
        if arguments.frame:
            table = compare(frame(names, runs), declaration, Factorial(*FOUR))
        else:
            benchmarks = ((name, evaluations(runs)) for name in names)
            table = compare_benchmarks(benchmarks, declaration, Factorial(*FOUR))
        took = time.perf_counter() - started
    print(f"{len(arms)} arms x {arguments.seeds} seeds x {len(names)} benchmarks x {arguments.items} items: ", end="")
    print(f"{len(table)} rows in {took:.1f} s, peak {peak():.0f} MiB ({before:.0f} MiB before)")


def write(folder: Path, arms: list[str], seeds: int, items: int) -> dict[tuple[str, int], Path]:
    """The files of one benchmark."""
    rng = np.random.default_rng(0)
    hashes = [text_hash(str(i)) for i in range(items)]
    difficulty = rng.normal(0, 1, items)
    files = {}
    for arm in arms:
        for seed in range(seeds):
            right = rng.random(items) < 1 / (1 + np.exp(difficulty))
            rows = [
                {
                    "item": name,
                    "metric": "exact_match",
                    "filter": "strict",
                    "score": score,
                    "prompt_hash": name[::-1],
                    "target_hash": name,
                    "output": None,
                }
                for name, score in zip(hashes, right.astype(float).tolist(), strict=True)
            ]
            files[arm, seed] = folder / f"{arm}-{seed}.parquet"
            write_items(rows, dict(zip(hashes, difficulty.tolist(), strict=True)), files[arm, seed])
    return files


def evaluations(runs: dict[tuple[str, int], Path]) -> Iterator[Evaluation]:
    for (arm, seed), file in runs.items():
        yield Evaluation("arm", arm, seed, pd.read_parquet(file, columns=COLUMNS))


def frame(names: list[str], runs: dict[tuple[str, int], Path]) -> pd.DataFrame:
    """All of it in one table."""
    return pd.concat(
        [
            pd.read_parquet(file, columns=[*COLUMNS, "difficulty"]).assign(
                kind="arm", arm=arm, seed=seed, benchmark=name
            )
            for name in names
            for (arm, seed), file in runs.items()
        ],
        ignore_index=True,
    )


def peak() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
