"""A plan as plain JSON: what will run, what is shared, what arms differ in, what each arm shows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from clpd_bench.curriculum.exposure import Exposure
from clpd_bench.grid.cells import cells
from clpd_bench.plan.differences import compared_pairs, differences
from clpd_bench.plan.lock import unpinned
from clpd_bench.plan.plan import Plan, PointPlan
from clpd_bench.plan.tuning import Tuning
from clpd_bench.report.choices import choices_planned
from clpd_bench.report.tuning.text import summary


def plan_summary(
    points: list[PointPlan],
    plan: Plan,
    done: set[str],
    exposures: list[dict[str, Exposure]] | None,
    power: list[dict[str, Any]] | None = None,
    tried: Tuning | None = None,
) -> dict[str, Any]:
    """The plan of all points as plain JSON.

    Where the file has axes, what is within a point (`differences`, `exposure`, `power`) stands under `points`.

    Args:
        exposures: by arm, for each point; None while the corpus does not exist.
        power: of each point, see `power_of`; None where nobody asks.
        tried: the tuning that the file declares; None where it declares none, or nobody asks.

    Raises:
        UserError: two arms differ in something that neither declares.
    """
    uses = Counter(parent for job in plan.jobs.values() for parent in job.parents.values())
    within = [_within(one, exposures[i] if exposures is not None else None) for i, one in enumerate(points)]
    if power is not None:
        within = [{**inner, "power": found} for inner, found in zip(within, power, strict=True)]
    return {
        "ablation": plan.name,
        "question": points[0].point.ablation.question,
        "tuning": summary(tried),
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
        "unpinned": unpinned(plan),
        **({"choices": choices} if (choices := choices_planned(plan)) else {}),
        **(
            {
                "points": [
                    {"point": one.point.label, "coordinates": dict(one.point.coordinates), **inner}
                    for one, inner in zip(points, within, strict=True)
                ]
            }
            if any(one.point.coordinates for one in points)
            else within[0]
        ),
    }


def _within(one: PointPlan, exposures: dict[str, Exposure] | None) -> dict[str, Any]:
    ablation = one.point.ablation
    return {
        "differences": [
            {"arms": [a.arm_name, b.arm_name], "settings": [vars(d) for d in differences(a, b)]}
            for a, b in compared_pairs(ablation, cells(ablation, one.plan.name))
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
        "difficulty": [vars(bucket) for bucket in e.difficulty],
    }
