"""The whole of ablations/smoke.yaml on the card, and beside it on the CPU: every student's score on both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from on_gpu.results import Case, Check, Values

FILE = Path(__file__).resolve().parents[2] / "ablations" / "smoke.yaml"
SHRUNK = (
    "student.training.steps=4",
    "student.training.epochs=1",
    "corpora.sums.source.test=6",
    "models.small.training.stop.at=0.0",
    "models.large.training.stop.at=0.0",
    "models.start.training.stop.at=0.0",
)
APART = 0.1
"""Nats a response token, of the mean over students: an arm is 0.01 from another. A teacher whose training stops at
another check is another teacher, so single students may be further apart."""
WORKERS = 6
"""Of each of both runs."""
RUN = "import sys; from clpd_bench.cli.app import main; sys.exit(main())"


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        yield Case("students' response loss", partial(_beside, Path(folder), shrunk, device))


def _beside(folder: Path, shrunk: bool, device: str) -> tuple[Values, Check | None]:
    if find_spec("lm_eval") is None:
        raise ModuleNotFoundError("its evaluations want lm_eval", name="lm_eval")
    runs = {place: _start(folder / place, shrunk, place) for place in dict.fromkeys((device, "cpu"))}
    for place, run in runs.items():
        said, _ = run.communicate()
        if run.returncode:
            raise RuntimeError(f"clpd run on {place} ended with code {run.returncode}: {said[-1000:]}")
    scores = {place: _scores(folder / place, shrunk) for place in runs}
    mine, cpu = scores[device], scores["cpu"]
    values: Values = {f"{name}, {place}_nats": scores[place][name] for name in mine for place in runs}
    if device == "cpu":  # beside nothing else
        return values, None
    return values, Check(abs(sum(mine.values()) - sum(cpu.values())) / len(mine), APART)


def _start(store: Path, shrunk: bool, place: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **({"CUDA_VISIBLE_DEVICES": ""} if place == "cpu" else {})}
    workers = min(WORKERS, os.cpu_count() or 1)
    command = [sys.executable, "-c", RUN, "run", str(FILE), "--store", str(store), "--workers", f"{workers}"]
    for change in SHRUNK if shrunk else ():
        command += ["--set", change]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _scores(folder: Path, shrunk: bool) -> dict[str, float]:
    """By arm and seed, and of the student before: means over the benchmark's items."""
    from clpd_bench.plan.plan import Plan
    from clpd_bench.results.collect import collect_items
    from clpd_bench.store import Store

    store = Store(folder)
    (plan,) = store.plans()
    items, missing = collect_items(Plan.from_json(json.loads(plan.read_text())), store)
    if missing:
        raise RuntimeError(" ".join(missing))
    losses = items[items.metric == "response_loss"]
    means = losses.groupby(["arm", "seed"]).score.mean()
    return {f"{arm} {seed}" if seed >= 0 else f"{arm}": float(score) for (arm, seed), score in means.items()}
