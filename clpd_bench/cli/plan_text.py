"""A plan for people: what will run, what is shared, what arms differ in, what each arm shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from clpd_bench.curriculum.buckets import Bucket
from clpd_bench.curriculum.exposure import Exposure
from clpd_bench.grid.cells import cells
from clpd_bench.plan.plan import PointPlan
from clpd_bench.plan.supervision import teachers_of
from clpd_bench.plan.tuning import Tuning
from clpd_bench.report.tuning.text import planned
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.curriculum import shorthand_of
from clpd_bench.tables.table import Column, Table, number_columns, table
from clpd_bench.tables.terminal import terminal

FEW = 2
"""Points that stand in a table by name."""


@dataclass(frozen=True)
class ArmExposure:
    """What an arm shows, at one point of the grid or at several alike."""

    name: str
    exposure: Exposure
    teachers: tuple[str, ...]


def print_plan(
    points: list[PointPlan],
    summary: dict[str, Any],
    exposures: list[dict[str, Exposure]] | None,
    tried: Tuning | None,
    console: Console,
) -> None:
    """Prints `plan_summary` as tables."""
    ablation = points[0].point.ablation
    console.print(f"[bold]{summary['ablation']}[/bold]  {escape(ablation.question)}")
    seeds = f"{len(ablation.seeds)} seeds ({', '.join(map(str, ablation.seeds))})"
    at = f"{len(points)} points x " if "points" in summary else ""
    console.print(f"\n{len(summary['cells'])} cells: {at}{len(ablation.arms)} arms x {seeds}")
    if at:
        named = (f"{i} {one.point.label or '[base]'}" for i, one in enumerate(points, start=1))
        console.print(f"Points: {', '.join(named)}", markup=False)
    for sentence in planned(tried):
        console.print(sentence, markup=False)
    console.print(terminal(_jobs_table(summary)))
    if summary["unpinned"]:
        console.print(
            f"\nNot pinned, so that it can be planned and not run: {', '.join(summary['unpinned'])}. "
            f"`clpd lock {points[0].plan.file}` asks the hub for their commits.",
            markup=False,
        )
    within = " within a point" if at else ""
    console.print(f"\nWhat compared arms differ in{within} (everything else is equal):")
    console.print(terminal(_differences_table(summary)))
    for sentence in summary.get("choices", []):
        console.print(f"\n{sentence}", markup=False)
    if exposures is None:
        console.print("\nSteps, tokens and exposure are known once the corpus exists: add --corpus to make it now.")
        return
    absent = [arm for arm in ablation.arms if any(arm not in at_point for at_point in exposures)]
    if absent:
        console.print(
            f"\nWhat is hard is a model's loss: the exposure of {', '.join(absent)} is known once a worker has made it."
        )
    shown = _shown(points, exposures)
    if not shown:
        return
    by = _difficulties(points, exposures)
    if by:
        console.print("\nHow hard the examples of each bucket are (1 = easiest; buckets hold equal tokens):")
        console.print(terminal(_difficulty_table(by)))
    console.print("\nWhat each arm shows (first seed; presentations by bucket of difficulty, 1 = easiest):")
    console.print(terminal(_exposure_table(shown)))
    console.print("\nShare of the learning rate spent, by stage and by teacher:")
    console.print(terminal(_rates_table(shown)))


def _shown(points: list[PointPlan], exposures: list[dict[str, Exposure]]) -> list[ArmExposure]:
    """Arm by arm; points at which an arm shows the same stand together."""
    out = []
    labels = [one.point.label for one in points]
    for arm in points[0].point.ablation.arms:
        groups: list[tuple[ArmExposure, list[int]]] = []
        for place, (one, at_point) in enumerate(zip(points, exposures, strict=True)):
            if arm not in at_point:
                continue
            shown = ArmExposure(arm, at_point[arm], _teachers(one.point.ablation, arm))
            same = next((at for other, at in groups if other == shown), None)
            if same is None:
                groups.append((shown, [place]))
            else:
                same.append(place)
        out += [ArmExposure(_called(arm, at, labels), s.exposure, s.teachers) for s, at in groups]
    return out


def _called(arm: str, at: list[int], labels: list[str]) -> str:
    """`clpd [strength=0] [strength=1]`; the arm alone where it is all of the grid's points, and numbers
    as they are listed above where they are many."""
    if len(at) == len(labels):
        return arm
    if len(at) > FEW:
        return f"{arm} [points {' '.join(str(i + 1) for i in at)}]"
    return " ".join([arm, *(labels[i] or "[base]" for i in at)])


def _jobs_table(summary: dict[str, Any]) -> Table:
    rows = []
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for job in summary["jobs"]:
        by_kind.setdefault(job["kind"], []).append(job)
    for kind, jobs in by_kind.items():
        shared = [job for job in jobs if job["used_by"] > 1]
        rows.append([kind, str(len(jobs)), str(sum(job["done"] for job in jobs)), str(len(shared) or "")])
    return table(number_columns("kind", "jobs", "done", "shared by several"), rows)


def _differences_table(summary: dict[str, Any]) -> Table:
    rows = []
    for name, settings in _pairs(summary):
        shown_name = name
        for d in settings:
            shown = ["-" if value is None else str(value) for value in (d["first"], d["second"])]
            rows.append([shown_name, f"{d['key']} (tuned)" if d["tuned"] else d["key"], *shown])
            shown_name = ""
    return table([Column("arm", wraps=False), "setting", "baseline", "arm's"], rows)


def _pairs(summary: dict[str, Any]) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """(arm, settings in which it differs from the baseline); points at which they are the same stand together."""
    points = summary.get("points", [{"point": "", "differences": summary.get("differences")}])
    for i, pair in enumerate(points[0]["differences"]):
        groups: list[tuple[list[dict[str, Any]], list[int]]] = []
        for place, point in enumerate(points):
            settings = point["differences"][i]["settings"]
            same = next((at for other, at in groups if other == settings), None)
            if same is None:
                groups.append((settings, [place]))
            else:
                same.append(place)
        for settings, at in groups:
            yield _called(pair["arms"][1], at, [one["point"] for one in points]), settings


def _difficulties(
    points: list[PointPlan], exposures: list[dict[str, Exposure]]
) -> dict[tuple[str, tuple[Bucket, ...]], None]:
    """(the difficulty's name, its buckets), each once."""
    found: dict[tuple[str, tuple[Bucket, ...]], None] = {}
    for one, at_point in zip(points, exposures, strict=True):
        for arm, shown in at_point.items():
            by = resolve(one.point.ablation, arm).curriculum.difficulty
            if by is not None:
                found[shorthand_of(by), shown.difficulty] = None
    return found


def _difficulty_table(by: Iterable[tuple[str, tuple[Bucket, ...]]]) -> Table:
    rows = []
    for name, buckets in by:
        for number, bucket in enumerate(buckets, start=1):
            quartiles = " / ".join(f"{value:.4g}" for value in bucket.quartiles)
            rows.append([name if number == 1 else "", str(number), str(bucket.examples), quartiles, str(bucket.tied)])
    columns = ("difficulty", "bucket", "examples", "25 / 50 / 75 %", "as hard as some of another bucket")
    return table(number_columns(*columns), rows)


def _exposure_table(shown: list[ArmExposure]) -> Table:
    rows = []
    for one in shown:
        e = one.exposure
        buckets = sorted({b for b, _, _ in e.presentations})
        first = True
        for stage, teacher in sorted({(k, t) for _, k, t in e.presentations}):
            counts = [
                " / ".join(str(table_of.get((b, stage, teacher), 0)) for b in buckets)
                for table_of in (e.presentations, e.response_tokens)
            ]
            total = [str(e.steps), str(e.tokens)] if first else ["", ""]
            rows.append([one.name if first else "", str(stage), one.teachers[teacher], *total, *counts])
            first = False
    columns = ("arm", "stage", "teacher", "steps", "tokens", "presentations by bucket", "response tokens by bucket")
    return table(number_columns(*columns), rows)


def _rates_table(shown: list[ArmExposure]) -> Table:
    rows = []
    for one in shown:
        e = one.exposure
        stages = " / ".join(f"{share:.0%}" for _, share in sorted(e.learning_rate_by_stage.items()))
        teachers = ", ".join(
            f"{one.teachers[t]} {share:.0%}" for t, share in sorted(e.learning_rate_by_teacher.items())
        )
        rows.append([one.name, stages, teachers])
    return table(number_columns("arm", "by stage", "by teacher"), rows)


def _teachers(ablation: Ablation, arm: str) -> tuple[str, ...]:
    """The names of an arm's teachers by their numbers, 0 for nobody."""
    cell = next(cell for cell in cells(ablation, "") if cell.arm_name == arm)
    return ("none", *teachers_of(cell, ablation.teachers))
