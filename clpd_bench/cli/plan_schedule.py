"""A picture of an arm's schedule for the terminal: what is shown when, and who teaches."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.errors import UserError
from clpd_bench.grid.cells import cells
from clpd_bench.plan.plan import Plan
from clpd_bench.results.schedules import ArmSchedule, arm_schedule, token_shares
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.store import Store

WIDTH = 80
LABEL = 12
ASCII = ".0123456789#"
BLOCKS = "·▁▁▂▃▄▄▅▆▆▇█"
"""Both: none, at least 0 tenths, ..., at least 9 tenths, all."""


@dataclass(frozen=True)
class Window:
    """Some steps of one stage, and which share of their tokens each bucket and each teacher has."""

    stage: int
    first: int
    last: int
    buckets: dict[int, float]
    teachers: dict[str, float]


def known_arm(ablation: Ablation, arm: str | None) -> None:
    """Raise UserError if there is no arm of this name."""
    if arm is not None and arm not in ablation.arms:
        raise UserError("there is no such arm", key="--schedule", found=arm, allowed=ablation.arms)


def schedule_of(ablation: Ablation, plan: Plan, store: Store, arm: str) -> ArmSchedule:
    """The first seed's.

    Raises:
        UserError: the corpus is not made yet.
    """
    data = plan.arm_data[arm]
    if not all(store.is_done(key) for key in data.values()):
        raise UserError(
            "the schedule is known once the corpus exists",
            fix=f"Add --corpus to make it now: clpd plan {plan.file} --corpus --schedule {arm}",
        )
    cell = next(cell for cell in cells(ablation, plan.name) if cell.arm_name == arm)
    split = read_split(store.artifact(data["corpus"]), "train")
    difficulty = read_difficulty(store.artifact(data["difficulty"]), "train") if "difficulty" in data else None
    return arm_schedule(cell, ablation.teachers, split, difficulty)


def windows(one: ArmSchedule, columns: int) -> list[Window]:
    """At most about `columns` windows, at least one a stage; none lies across the border of two stages."""
    edges = [0]
    stages = []
    for stage, span in enumerate(one.spans, start=1):
        steps = span.last - span.first + 1
        if steps:
            mine = min(steps, max(1, columns * steps // one.schedule.steps))
            edges += [span.first - 1 + (i + 1) * steps // mine for i in range(mine)]
            stages += [stage] * mine
    at = np.array(edges)
    buckets = token_shares(one, one.buckets[one.schedule.examples], one.bucket_numbers, at)
    numbers = sorted(one.teachers)
    teachers = token_shares(one, one.schedule.teacher, numbers, at)
    return [
        Window(
            stage,
            edges[w] + 1,
            edges[w + 1],
            {b: float(row[w]) for b, row in enumerate(buckets, start=1)},
            {one.teachers[n]: float(row[w]) for n, row in zip(numbers, teachers, strict=True)},
        )
        for w, stage in enumerate(stages)
    ]


def schedule_json(arm: str, one: ArmSchedule) -> dict[str, Any]:
    shown = windows(one, one.schedule.steps)
    return {"arm": arm, "seed": one.seed, "steps": [vars(window) for window in shown]}


def schedule_text(arm: str, one: ArmSchedule, ramp: str) -> str:
    """At most 80 columns, unless there are more stages than fit."""
    stages = sum(1 for span in one.spans if span.last >= span.first)
    room = WIDTH - LABEL - stages - 1
    shown = windows(one, room)
    repeat = max(1, room // len(shown))
    per_column = max(window.last - window.first + 1 for window in shown)
    steps = one.schedule.steps

    def row(name: str, shares: list[float]) -> str:
        out, stage = f"{_cut(name):<{LABEL}}", 0
        for window, share in zip(shown, shares, strict=True):
            out += ("|" if window.stage != stage else "") + ramp[_level(share)] * repeat
            stage = window.stage
        return out + "|"

    lines = [
        f"{_cut(arm, 22)}, seed {one.seed}: {steps} steps, {one.exposure.tokens} tokens, "
        + (f"{repeat} columns a step" if repeat > 1 else f"a column is up to {per_column} steps"),
        _marks("stage", shown, repeat, lambda window: f"{window.stage}"),
    ]
    lines += [row(name, [window.teachers[name] for window in shown]) for name in shown[0].teachers]
    for bucket in shown[0].buckets:
        hint = (
            {1: " easiest", len(one.bucket_numbers): " hardest"}.get(bucket, "") if len(one.bucket_numbers) > 1 else ""
        )
        lines.append(row(f"{bucket}{hint}", [window.buckets[bucket] for window in shown]))
    lines.append(_marks("from step", shown, repeat, lambda window: f"{window.first}"))
    legend = " ".join(f"{ramp[i]}" for i in range(1, 11))
    lines.append(f"share of tokens: {ramp[0]} none, {legend} from 0, 10, ... 90 %, {ramp[-1]} all")
    return "\n".join(lines)


def _marks(name: str, shown: list[Window], repeat: int, text: Callable[[Window], str]) -> str:
    """A line with a text at the beginning of each stage, where it fits."""
    line, column, stage = f"{name:<{LABEL}}", LABEL, 0
    for window in shown:
        if window.stage != stage:
            mark = text(window)
            line = line.ljust(column + 1) + mark if len(line) <= column + 1 else line
            column += 1
            stage = window.stage
        column += repeat
    return line


def _level(share: float) -> int:
    """The place in a ramp: exact at both ends, downwards between them."""
    if share in (0.0, 1.0):
        return 0 if share == 0.0 else 11
    return 1 + min(9, math.floor(10 * share + 1e-9))


def _cut(name: str, width: int = LABEL - 1) -> str:
    return name if len(name) <= width else name[: width - 2] + ".."


def ramp_of(stream: TextIO) -> str:
    """Blocks on a terminal that can show them; digits in pipes, files and elsewhere."""
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    return BLOCKS if stream.isatty() and encoding.startswith("utf") else ASCII


def print_schedule(ablation: Ablation, plan: Plan, store: Store, arm: str, as_json: bool) -> None:
    one = schedule_of(ablation, plan, store, arm)
    print(json.dumps(schedule_json(arm, one), indent=2) if as_json else schedule_text(arm, one, ramp_of(sys.stdout)))
