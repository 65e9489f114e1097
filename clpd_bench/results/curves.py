"""Training curves as the students' jobs left them, and students that validate worse at their end."""

from __future__ import annotations

import json
import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.plan.plan import Plan, PlannedEvaluation
from clpd_bench.results.schedules import ArmSchedule, StageSpan
from clpd_bench.settings.specs import ModelSpec
from clpd_bench.store import Store


@dataclass(frozen=True)
class Curves:
    """An arm's training losses.

    Attributes:
        by_seed: {seed: shape [steps], the loss of each step}.
        loss: its name, as people read it.
        stages: [] where the schedule is not known.
    """

    by_seed: dict[int, FloatArray]
    loss: str
    stages: list[StageSpan]


def training_record(store: Store, key: str) -> dict[str, Any] | None:
    """A student's training.json, None where it left none that opens."""
    try:
        record = json.loads((store.artifact(key) / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("loss") else None


@dataclass(frozen=True)
class StudentsTraining:
    """What the students' training left.

    Attributes:
        curves: by arm.
        absent: a sentence for each student without a curve.
        checked: students whose consumed presentations could be compared with their schedule's.
        strayed: those (arm/seed) that consumed other ones.
        shorter: the students that early stopping ended, and after how many steps of how many.
        rebuilt: arms whose schedule, as this code builds it, is another than the student was trained by.
    """

    curves: dict[str, Curves] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    shorter: list[str] = field(default_factory=list)
    rebuilt: list[str] = field(default_factory=list)


def trained(plan: Plan, store: Store, schedules: Mapping[str, ArmSchedule]) -> StudentsTraining:
    """Of all students that are done; the others are missing cells, which is said elsewhere."""
    out = StudentsTraining()
    for cell in plan.cells:
        if not store.is_done(cell.model):
            continue
        record, known = training_record(store, cell.model), schedules.get(cell.name)
        name = f"{cell.name}/{cell.seed}"
        if record is None:
            out.absent.append(f"{cell.name} at seed {cell.seed} has left no training curve (training.json).")
            continue
        if "scheduled" in record:
            out.checked.append(name)
            if record.get("consumed") != record["scheduled"]:
                out.strayed.append(name)
            steps = len(record["loss"])
            if known and known.seed == cell.seed and known.schedule.consumed_hash(steps) != record["scheduled"]:
                out.rebuilt.append(cell.name)
        if "stopped_early" in record and known:
            out.shorter.append(f"{name} after {len(record['loss'])} of {known.schedule.steps} steps")
        curves = out.curves.setdefault(cell.name, Curves({}, _loss_name(plan, cell), known.spans if known else []))
        curves.by_seed[cell.seed] = np.array(record["loss"], dtype=np.float64)
    return out


def _loss_name(plan: Plan, cell: PlannedEvaluation) -> str:
    spec = plan.jobs[cell.model].spec
    if isinstance(spec, ModelSpec) and spec.supervision is not None:
        name = spec.supervision.loss.name
        return {"cross_entropy": "cross-entropy"}.get(name, name.replace("_", " ").replace("kl", "KL"))
    return ""


def overfitting(plan: Plan, store: Store, diverged: Collection[tuple[str, int]]) -> list[str]:
    """A sentence for each arm with students whose validation loss is above the one before their first step: at the end
    of the run or, where a checkpoint was chosen, there.

    Args:
        diverged: (arm, seed) of students that did, of which more is said elsewhere.
    """
    looks: dict[str, list[tuple[float, float]]] = {}
    for cell in plan.cells:
        record = training_record(store, cell.model) if store.is_done(cell.model) else None
        if record and record.get("validation") and (cell.name, cell.seed) not in diverged:
            start, end = record["validation"][0], record.get("chosen") or record["validation"][-1]
            looks.setdefault(cell.name, []).append((start["response_loss"], end["response_loss"]))
    return [
        _sentence(arm, found, len(all_)) for arm, all_ in looks.items() if (found := [x for x in all_ if x[1] > x[0]])
    ]


def _sentence(arm: str, found: list[tuple[float, float]], of: int) -> str:
    start, end = (statistics.fmean(one) for one in zip(*found, strict=True))
    return (
        f"Overfitting: {arm}: {len(found)} of {of} students end with a validation loss above the start's: "
        f"{start:.3g} -> {end:.3g} nats a token (mean)."
    )
