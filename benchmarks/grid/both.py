"""A round: the grid by `clpd run`, then the same by the peers' script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from clpd_bench.launch.processes import worker_environment
from clpd_bench.store import Store
from grid.given import given
from grid.ours import imports, plan_of, results, run

HERE = Path(__file__).parent
SHRUNK = [
    "corpora.gsm8k.source.limit={train: 12, test: 8}",
    "corpora.gsm8k.tokenizer.vocabulary_size=1024",
    "seeds=[0, 1]",
    "evaluation.benchmarks.gsm8k.max_new_tokens=140",
    "targets.top_k=null",
]
"""A small part of the grid. With all logits stored, students are the same on both sides."""


def one_round(folder: Path, sets: list[str]) -> dict[str, dict[str, Any]]:
    """`ours` and `peers`: `seconds` of processor time, the `start_up` among them, and what it went to (`parts`, all of
    it together); `response_loss` by model, split and example; `generated` tokens, and the steps that these took.

    Args:
        folder: an empty one; our store is left in it, and what the peers were given and found.
        sets: as `clpd run` takes them behind `--set`.
    """
    store = folder / "store"
    ours = {**run(HERE / "grid.yaml", store, sets, imports()), **results(store)}
    work = given(plan_of(store), Store(store))
    (folder / "given.json").write_text(json.dumps(work))
    sides = {"ours": ours, "peers": peers(folder)}
    tokenizer = AutoTokenizer.from_pretrained(str(Path(work["corpus"]) / "tokenizer"))
    for side in sides.values():
        outputs = [list(texts.values()) for texts in side.pop("outputs").values()]
        lengths = [[*map(len, tokenizer(texts, add_special_tokens=False)["input_ids"])] for texts in outputs]
        side["generated"] = {"tokens": sum(map(sum, lengths)), "steps": sum(map(max, lengths))}
    return sides


def peers(folder: Path) -> dict[str, Any]:
    """The same of the peers, and `shown`: of each model and step the ids of its rows, and its teacher."""
    command = [sys.executable, str(HERE / "peers.py"), "given.json", "peers.json"]
    with (folder / "peers.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=worker_environment(), stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the peers' script failed:\n{(folder / 'peers.log').read_text()[-3000:]}")
    seconds = used.ru_utime + used.ru_stime
    found: dict[str, Any] = json.loads((folder / "peers.json").read_text())
    parts = {**found["parts"], "rest": seconds - sum(found["parts"].values())}
    return {**found, "seconds": seconds, "start_up": parts["start-up"], "parts": parts}
