"""What stands in one table: the reports of several ablation files, or of the points of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan, PointPlan
from clpd_bench.report.report import Report
from clpd_bench.results.published import Published
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.model import Initial, Trained
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local


def student_name(ablation: Ablation) -> str:
    """By what it started from: `Qwen2.5-0.5B` of the hub's Qwen/Qwen2.5-0.5B, a folder's or a file's own name,
    `llama 2 x 32` (layers x width) of fresh weights. A student that starts from a model of the file which was
    trained or cut has that model's name behind it: `Qwen2.5-0.5B (start)`."""
    initial: Initial = ablation.student.initial
    changed = []
    while isinstance(initial, Trained):
        model = ablation.models[initial.model]
        if model.training is not None or model.keep_layers is not None:
            changed.append(initial.model)
        initial = model.initial
    name = _source(initial)
    return f"{name} ({changed[0]})" if changed else name


def _source(initial: Initial) -> str:
    if isinstance(initial, Hub):
        return initial.model.rsplit("/", 1)[-1]
    if isinstance(initial, Local):
        return initial.folder.name
    if isinstance(initial, Gguf):
        return initial.files[0].stem
    assert not isinstance(initial, Trained)
    return f"{initial.name} {initial.num_hidden_layers} x {initial.hidden_size}"


MOST_GROUPS = 12


@dataclass(frozen=True)
class OneFile:
    """An ablation file's points, the plan of them all, and what was published of it."""

    points: list[PointPlan]
    plan: Plan
    published: Sequence[Published] = ()


@dataclass(frozen=True)
class Group:
    """One comparison, complete in itself.

    Attributes:
        student: what a head of columns calls the student.
        folder: where its own report lies, relative to the table's.
    """

    student: str
    folder: str
    point: PointPlan
    report: Report

    @property
    def part(self) -> str:
        """The file, and the point where the file has several; shown where two groups have one student."""
        return f"{self.point.plan.name} {self.point.point.label}".strip()


def check_files(files: Sequence[OneFile]) -> None:
    """Raises:
    UserError: two files of one name, or more groups than a reader can take in.
    """
    by_name: dict[str, str] = {}
    for one in files:
        name = one.plan.name
        if name in by_name:
            raise UserError(
                f"two ablations are both called {name}, {by_name[name]} and {one.plan.file}",
                fix="Rename one: the names of the files are the names of the ablations",
            )
        by_name[name] = one.plan.file
    counts = {one.plan.name: len(one.points) for one in files}
    if sum(counts.values()) > MOST_GROUPS:
        most = max(counts, key=lambda name: counts[name])
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise UserError(
            f"one table holds {MOST_GROUPS} groups of columns, and there are {sum(counts.values())} ({listed}): each "
            "point of a grid is a group",
            fix=f"Report {most} by itself, which puts its points below each other: clpd report {by_name[most]}",
        )


def students(points: Sequence[PointPlan]) -> list[str]:
    """What each student is called; those of one name that start from different weights have their file behind it."""
    names = [student_name(one.point.ablation) for one in points]
    starts = [{r.model for r in one.plan.references if r.name == "student before"} for one in points]
    several = {name for name, start in zip(names, starts, strict=True) if start.isdisjoint(starts[names.index(name)])}
    return [f"{name}, {one.plan.name}" if name in several else name for name, one in zip(names, points, strict=True)]
