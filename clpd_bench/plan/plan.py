"""The plan: jobs with parents first, where each cell's results lie, and the points of a grid together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.grid.points import Point
from clpd_bench.settings.specs import SPECS, Kind, Spec


@dataclass(frozen=True)
class Job:
    """A node of the plan.

    Attributes:
        label: what people call it; takes no part in the key.
        parents: {role: key}.
        code: the code version that stands in the key, "" in plans older than this field.
        libraries: {package: version} that stands in the key.
    """

    key: str
    kind: Kind
    label: str
    spec: Spec
    parents: dict[str, str]
    code: str = ""
    libraries: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedEvaluation:
    """A model and where its outcomes are: a cell's student, or a reference (seed -1 where it is shared).

    Attributes:
        model: key of the model job.
        evaluations: {benchmark: key of the evaluation job}.
    """

    id: str
    name: str
    seed: int
    model: str
    evaluations: dict[str, str]

    @property
    def short_id(self) -> str:
        """`clpd[strength=0.6]/0` of `quickstart/clpd[strength=0.6]/0`."""
        return self.id.split("/", 1)[1]

    @property
    def arm_at_point(self) -> str:
        """`clpd[strength=0.6]`."""
        return self.short_id.rsplit("/", 1)[0]

    def is_called(self, name: str) -> bool:
        """Whether somebody who says `name` means this one: with the ablation's name in front, or without."""
        return name in (self.id, self.short_id)


@dataclass(frozen=True)
class Ladder:
    """The teachers of a point of the grid, and where the score of each on validation items is.

    Attributes:
        point: as the plan's.
        corpus: the name of that whose validation split it is.
        metric, filter: of the score; None where the metric has one filter alone.
        teachers: (name, key of the evaluation job), in the file's order.
    """

    point: str
    corpus: str
    metric: str
    filter: str | None
    teachers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Plan:
    """Attributes:
    point: what the point of the grid is called by, as `[strength=0.6]`; empty where nothing varies, and for
        a plan of all points.
    corpora: {corpus name: key}.
    arm_data: {arm name: {"corpus": key, "difficulty": key}}, what the arm's students are trained on
        and what their exposure is counted by; no difficulty where the arm's settings name none.
    declaration: see `declaration`.
    models: {key: names of the models that it is, or is on the way to}; empty in plans older than this field.
    ladders: one, or none where no two teachers could be in a wrong order; one a point for a plan of all points.
    """

    name: str
    file: str
    jobs: dict[str, Job]
    cells: list[PlannedEvaluation]
    references: list[PlannedEvaluation]
    corpora: dict[str, str]
    arm_data: dict[str, dict[str, str]]
    declaration: dict[str, Any]
    point: str = ""
    models: dict[str, list[str]] = field(default_factory=dict)
    ladders: list[Ladder] = field(default_factory=list)

    def descendants(self, key: str) -> set[str]:
        """Keys of all jobs that need this one, and itself."""
        out = {key}
        for job in self.jobs.values():
            if out & set(job.parents.values()):
                out.add(job.key)
        return out

    def ancestors(self, key: str) -> set[str]:
        """Keys of all jobs that this one needs, and itself."""
        out, waiting = set[str](), [key]
        while waiting:
            k = waiting.pop()
            if k not in out:
                out.add(k)
                waiting.extend(self.jobs[k].parents.values())
        return out

    def cell_keys(self, name: str) -> set[str]:
        """Keys of all jobs that a cell needs, by its id; raises as `cell`."""
        return {key for last in self.cell(name).evaluations.values() for key in self.ancestors(last)}

    def cell(self, name: str) -> PlannedEvaluation:
        """A cell by its id (`smoke/clpd/0` or `clpd/0`).

        Raises:
            UserError: there is no such cell.
        """
        for cell in self.cells:
            if cell.is_called(name):
                return cell
        allowed = [cell.short_id for cell in self.cells]
        raise UserError("there is no such cell", found=name, allowed=allowed)

    def to_json(self) -> dict[str, Any]:
        """Everything a worker needs, as plain JSON."""
        return {
            "name": self.name,
            "file": self.file,
            "jobs": [{**vars(job), "spec": job.spec.model_dump(mode="json")} for job in self.jobs.values()],
            "cells": [vars(cell) for cell in self.cells],
            "references": [vars(reference) for reference in self.references],
            "corpora": self.corpora,
            "arm_data": self.arm_data,
            "declaration": self.declaration,
            "point": self.point,
            "models": self.models,
            "ladders": [vars(ladder) for ladder in self.ladders],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        jobs = [Job(**{**job, "spec": SPECS[job["kind"]].model_validate(job["spec"])}) for job in data["jobs"]]
        return cls(
            data["name"],
            data["file"],
            {job.key: job for job in jobs},
            [PlannedEvaluation(**cell) for cell in data["cells"]],
            [PlannedEvaluation(**reference) for reference in data["references"]],
            data["corpora"],
            data["arm_data"],
            data["declaration"],
            data.get("point", ""),
            data.get("models", {}),
            [Ladder(**{**one, "teachers": tuple(map(tuple, one["teachers"]))}) for one in data.get("ladders", [])],
        )


@dataclass(frozen=True)
class PointPlan:
    """A point of the grid with its own plan: one comparison, complete in itself."""

    point: Point
    plan: Plan


ORDER: dict[Kind, int] = {"corpus": 0, "difficulty": 1, "model": 2, "targets": 2, "evaluation": 2}


def in_order(jobs: dict[str, Job]) -> dict[str, Job]:
    """Data first, and else as they come: parents first; a cell's student and evaluation before the next
    cell, so that early results come early."""

    def place(job: Job) -> int:
        return ORDER["model"] if "model" in job.parents else ORDER[job.kind]

    return dict(sorted(jobs.items(), key=lambda entry: place(entry[1])))


def whole(points: list[PointPlan]) -> Plan:
    """All jobs and all cells; one plan alone is the whole as it is, but for its point."""
    plans = [one.plan for one in points]
    jobs: dict[str, Job] = {}
    references: dict[str, PlannedEvaluation] = {}
    models: dict[str, list[str]] = {}
    for plan in plans:
        for job in plan.jobs.values():
            jobs.setdefault(job.key, job)
        for reference in plan.references:
            references.setdefault(reference.model, reference)
        for key, names in plan.models.items():
            models[key] = sorted({*models.get(key, []), *names})
    first = plans[0]
    return Plan(
        first.name,
        first.file,
        in_order(jobs),
        [cell for plan in plans for cell in plan.cells],
        list(references.values()) if len(plans) > 1 else first.references,
        first.corpora,
        {f"{arm}{plan.point}": data for plan in plans for arm, data in plan.arm_data.items()},
        {"points": {plan.point: plan.declaration for plan in plans}} if len(plans) > 1 else first.declaration,
        models=models,
        ladders=[ladder for plan in plans for ladder in plan.ladders],
    )
