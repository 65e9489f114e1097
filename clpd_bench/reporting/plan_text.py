"""A plan for people: what will run, what is shared, what arms differ in, what each arm shows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from clpd_bench.curriculum.exposure import Exposure
from clpd_bench.grid import cells
from clpd_bench.plan.differences import compared_pairs, differences
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.supervision import teachers_of
from clpd_bench.settings.ablation import Ablation


def plan_summary(
    ablation: Ablation, plan: Plan, done: set[str], exposures: dict[str, Exposure] | None
) -> dict[str, Any]:
    """The plan as plain JSON; `exposures` by arm, None while the corpus does not exist.

    Raises:
        UserError: two arms differ in something that neither declares.
    """
    uses = Counter(parent for job in plan.jobs.values() for parent in job.parents.values())
    grid = cells(ablation, plan.name)
    return {
        "ablation": plan.name,
        "question": ablation.question,
        "cells": [{"id": cell.id, "student": cell.model, "evaluations": cell.evaluations} for cell in plan.cells],
        "jobs": [
            {
                "key": job.key,
                "kind": job.kind,
                "label": job.label,
                "parents": job.parents,
                "used_by": uses[job.key],
                "done": job.key in done,
            }
            for job in plan.jobs.values()
        ],
        "differences": [
            {"arms": [a.arm_name, b.arm_name], "settings": [vars(d) for d in differences(a, b)]}
            for a, b in compared_pairs(ablation, grid)
        ],
        "exposure": None if exposures is None else {arm: _exposure_json(e) for arm, e in exposures.items()},
    }


def _exposure_json(e: Exposure) -> dict[str, Any]:
    return {
        "steps": e.steps,
        "tokens": e.tokens,
        "by_bucket_stage_teacher": [
            {"bucket": b, "stage": k, "teacher": t, "presentations": n, "response_tokens": e.response_tokens[b, k, t]}
            for (b, k, t), n in sorted(e.presentations.items())
        ],
        "learning_rate_by_stage": e.learning_rate_by_stage,
        "learning_rate_by_teacher": e.learning_rate_by_teacher,
    }


def print_plan(
    ablation: Ablation, summary: dict[str, Any], exposures: dict[str, Exposure] | None, console: Console
) -> None:
    """Prints `plan_summary` as tables."""
    console.print(f"[bold]{summary['ablation']}[/bold]  {ablation.question}")
    arms, seeds = len(ablation.arms), len(ablation.seeds)
    console.print(
        f"\n{len(summary['cells'])} cells: {arms} arms x {seeds} seeds ({', '.join(map(str, ablation.seeds))})"
    )
    console.print(_jobs_table(summary))
    console.print("\nWhat compared arms differ in (everything else is equal):")
    console.print(_differences_table(summary))
    if exposures is None:
        console.print("\nSteps, tokens and exposure are known once the corpus exists: add --corpus to make it now.")
        return
    absent = [arm for arm in ablation.arms if arm not in exposures]
    if absent:
        console.print(
            f"\nWhat is hard is a model's loss: the exposure of {', '.join(absent)} is known once a worker has made it."
        )
    if not exposures:
        return
    console.print("\nWhat each arm shows (first seed; presentations by bucket of difficulty, 1 = easiest):")
    console.print(_exposure_table(ablation, exposures))
    console.print("\nShare of the learning rate spent, by stage and by teacher:")
    console.print(_rates_table(ablation, exposures))


def _plain(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", no_wrap=i == 0)
    return table


def _jobs_table(summary: dict[str, Any]) -> Table:
    table = _plain("kind", "jobs", "done", "shared by several")
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for job in summary["jobs"]:
        by_kind.setdefault(job["kind"], []).append(job)
    for kind, jobs in by_kind.items():
        shared = [job for job in jobs if job["used_by"] > 1]
        table.add_row(kind, str(len(jobs)), str(sum(job["done"] for job in jobs)), str(len(shared) or ""))
    return table


def _differences_table(summary: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("arm", "setting", "baseline", "arm's"):
        table.add_column(column, no_wrap=column == "arm")
    for pair in summary["differences"]:
        name = pair["arms"][1]
        for d in pair["settings"]:
            shown = ["-" if value is None else str(value) for value in (d["first"], d["second"])]
            table.add_row(name, d["key"], *shown)
            name = ""
    return table


def _exposure_table(ablation: Ablation, exposures: dict[str, Exposure]) -> Table:
    table = _plain("arm", "stage", "teacher", "steps", "tokens", "presentations by bucket", "response tokens by bucket")
    for arm, e in exposures.items():
        buckets = sorted({b for b, _, _ in e.presentations})
        first = True
        for stage, teacher in sorted({(k, t) for _, k, t in e.presentations}):
            counts = [
                " / ".join(str(table_of.get((b, stage, teacher), 0)) for b in buckets)
                for table_of in (e.presentations, e.response_tokens)
            ]
            total = [str(e.steps), str(e.tokens)] if first else ["", ""]
            table.add_row(arm if first else "", str(stage), _teacher(ablation, arm, teacher), *total, *counts)
            first = False
    return table


def _rates_table(ablation: Ablation, exposures: dict[str, Exposure]) -> Table:
    table = _plain("arm", "by stage", "by teacher")
    for arm, e in exposures.items():
        stages = " / ".join(f"{share:.0%}" for _, share in sorted(e.learning_rate_by_stage.items()))
        teachers = ", ".join(
            f"{_teacher(ablation, arm, t)} {share:.0%}" for t, share in sorted(e.learning_rate_by_teacher.items())
        )
        table.add_row(arm, stages, teachers)
    return table


def _teacher(ablation: Ablation, arm: str, number: int) -> str:
    """The name of an arm's teacher by its number."""
    if number == 0:
        return "none"
    cell = next(cell for cell in cells(ablation, "") if cell.arm_name == arm)
    return teachers_of(cell, ablation.teachers)[number - 1]
