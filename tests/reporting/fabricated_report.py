"""A finished store that nothing was trained for: a real plan, invented outcomes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.evaluation.items import SCHEMA
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.report.report import Report, write_report
from clpd_bench.results.schedules import arm_schedules
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.store import Store

EVIL = "<script>alert('arm')</script> $a_b & 50% {x} #1"
QUESTION = "Does <script>alert('q')</script> help & what of $x_1$?"
EXAMPLES, SEEDS = 24, 3
SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"


@dataclass
class World:
    """An ablation whose jobs are all done, but those whose label begins with one of `undone`.

    Attributes:
        arms: more of them, as the file has them.
        edits: what of the file is replaced, and by what.
        effect: what `clpd` has less of response_loss than the other arms.
        difficulties: how many different ones the items have.
        cut: {beginning of the labels of those evaluated: how many of their outputs ended by length}.
        validation: {teacher: what it scores on every validation item}.
        fields: {label: manifest fields that are other than usual}.
    """

    folder: Path
    arms: str = ""
    edits: dict[str, str] = field(default_factory=dict)
    effect: float = 0.0
    difficulties: int = 3
    cut: dict[str, int] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=lambda: {"small": 0.5, "large": 0.25})
    curves: bool = True
    declared: bool = True
    undone: tuple[str, ...] = ()
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        file = self.folder / "tiny.yaml"
        self.folder.mkdir(parents=True, exist_ok=True)
        text = SMALL.read_text().replace("seeds: [0, 1]", f"seeds: {list(range(SEEDS))}")
        assert "question: Is this file read as it is written?" in text
        text = text.replace("question: Is this file read as it is written?", f"question: {json.dumps(QUESTION)}")
        arms = text.index("seeds:")
        text = f"{text[:arms]}  {json.dumps(EVIL)}: {{order: shuffled, teachers: strongest}}\n{self.arms}{text[arms:]}"
        for old, new in self.edits.items():
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)
        self.ablation: Ablation = load_ablation(file)
        self.plan: Plan = build_plan(self.ablation, file)
        self.store = Store(self.folder / "store")
        self.fill(self.plan)

    def fill(self, plan: Plan) -> None:
        """All jobs of a plan that are not yet done."""
        if self.declared:
            self.store.declare(plan.declaration)
        for job in plan.jobs.values():
            if not self.store.is_done(job.key) and not job.label.startswith(self.undone or "\0"):
                self._make(job)

    def report(self, name: str = "report") -> Report:
        return write_report(self.ablation, self.plan, self.store, self.folder / name)

    def _make(self, job: Job) -> None:
        attempt = self.store.claim(job.key)
        assert attempt
        with attempt:
            attempt.out.mkdir(exist_ok=True)
            body = {"corpus": self._corpus, "difficulty": self._difficulty, "evaluation": self._evaluation}.get(
                job.kind
            )
            if body:
                body(job, attempt.out)
            elif job.label.startswith("student") and self.curves:
                self._training(job, attempt.out)
            manifest = {
                "kind": job.kind, "label": job.label, "parents": job.parents, "seconds": 10.0,
                "spec": job.spec.model_dump(mode="json"),
                "tokens": 1000, "flops": 10**9, "details": {"parameters": 7}, "device": "cpu (x86_64)",
                "git": "a" * 40, "packages": {"torch": "2.13.0"}, "python": "3.11.7", "host": "vm", "platform": "Linux",
            }  # fmt: skip
            attempt.publish({**manifest, **self.fields.get(job.label, {})})

    def _corpus(self, job: Job, out: Path) -> None:
        ids = [f"{i:04d}" for i in range(EXAMPLES)]
        table = pa.table(
            {
                "id": ids,
                "prompt_ids": [[1, 2]] * EXAMPLES,
                "response_ids": [[3] * (2 + i % 3) for i in range(EXAMPLES)],
            }
        )
        for split in ("train", "validation", "test"):
            pq.write_table(table, out / f"{split}.parquet")

    def _difficulty(self, job: Job, out: Path) -> None:
        table = pa.table({"difficulty": [float(i % 6) for i in range(EXAMPLES)]})
        for split in ("train", "validation", "test"):
            pq.write_table(table, out / f"{split}.parquet")

    def _evaluation(self, job: Job, out: Path) -> None:
        rng = np.random.default_rng(list(job.label.encode()))
        gain = self.effect if "clpd/" in job.label else 0.0
        of = job.label.removeprefix("evaluation ")
        cut = next((many for begins, many in self.cut.items() if of.startswith(begins)), 0)
        rows = [
            {
                "item": f"{i:04d}", "metric": metric, "filter": "none", "difficulty": float(i % self.difficulties),
                "score": float(i % 2 if metric == "exact_match" else 1 + rng.normal(0, 0.05) - gain),
                "prompt_hash": "p", "target_hash": "t", "output": None,
                "truncated": i < cut if metric == "exact_match" else None,
            }
            for metric in ("exact_match", "response_loss")
            for i in range(EXAMPLES)
        ]  # fmt: skip
        if job.label.startswith("validation"):
            score = self.validation[job.label.split()[3]]
            rows = [{**row, "item": f"validation {row['item']}", "score": score} for row in rows]
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), out / "items.parquet")

    def _training(self, job: Job, out: Path) -> None:
        name, seed = job.label.removeprefix("student ").rsplit("/", 1)
        one = arm_schedules(self.ablation, self.plan, self.store)[0][name]
        steps = one.schedule.steps
        rng = np.random.default_rng(int(seed))
        digest = one.schedule.consumed_hash() if int(seed) == one.seed else "?"
        record = {"loss": (2 / np.arange(1, steps + 1) + rng.random(steps)).tolist()}
        (out / "training.json").write_text(json.dumps({**record, "consumed": digest, "scheduled": digest}))
