"""What a job costs, and a plan: its jobs together, and against each cell alone with live teachers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from clpd_bench.costs.memory import Peak
from clpd_bench.flops.parameters import parameters
from clpd_bench.flops.passes import Term, total
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.dimensions import Dimensions


@dataclass(frozen=True)
class JobCost:
    """Attributes:
    flops: by what they are counted for; none of a job that computes nothing.
    peak: of the device's memory; None where the device is not used.
    dimensions: of the model that is made or run; None where there is none.
    precision: of the weights that are computed with.
    alone: what the teachers would cost if they ran beside this student, where they do not.
    estimated: whether something is expected, and not counted.
    unknown: what would have to be known; the rest is then empty.
    """

    flops: tuple[Term, ...] = ()
    peak: Peak | None = None
    dimensions: Dimensions | None = None
    precision: str = "float32"
    alone: tuple[Term, ...] = ()
    estimated: bool = False
    unknown: str = ""

    @property
    def parameters(self) -> int | None:
        return None if self.dimensions is None else parameters(self.dimensions).total

    @property
    def total(self) -> float | None:
        """FLOPs; None where they are unknown."""
        return None if self.unknown else total(self.flops)


@dataclass(frozen=True)
class Seconds:
    """Attributes:
    value: seconds of one job.
    by: what tells: it is `done`; jobs `alike` are done on that profile; its arithmetic, `corrected` by the jobs of
        its kind that are done there; or its `arithmetic` alone.
    """

    value: float
    by: Literal["done", "alike", "corrected", "arithmetic"]


@dataclass(frozen=True)
class TooLarge:
    """A job that its profile's GPU cannot hold.

    Attributes:
        why: the sum, against what there is.
        fix: what would make it smaller, or the profile larger.
    """

    key: str
    profile: str
    why: str
    fix: str


@dataclass(frozen=True)
class OnProfile:
    """What a site's profile has to do.

    Attributes:
        jobs: that are not done.
        gpu_seconds: of those whose seconds are known.
        by: how many of them are known by what.
        without: how many are not known.
        peak: the largest of the jobs' peak memories, in bytes.
        memory: that a job may use, None where the site does not say.
    """

    jobs: int
    gpu_seconds: float
    by: dict[str, int]
    without: int
    peak: int
    memory: float | None


@dataclass(frozen=True)
class Disk:
    """Bytes and files that are still to be written; how many jobs are not counted.

    Attributes:
        checkpoints: part of the bytes, of checkpoints to resume from, were all models in training at once.
    """

    bytes: int
    files: int
    checkpoints: int
    unknown: int


@dataclass(frozen=True)
class Naive:
    """FLOPs of the cells as planned, and of each alone: its own difficulties, teachers' passes in its own steps, and
    evaluations.

    Attributes:
        planned: what the cells need, each job once.
        alone: nothing is shared: every cell trains its teachers and its start.
        given: of `planned` and `alone` without the training of teachers and starts.
    """

    planned: float
    alone: float
    given: tuple[float, float]


@dataclass(frozen=True)
class PlanCost:
    """Attributes:
    jobs: by key.
    naive: None where something is not known.
    seconds: by key, where a site is given and they are known.
    profiles: by name, where a site is given.
    """

    jobs: Mapping[str, JobCost]
    done: frozenset[str]
    disk: Disk
    naive: Naive | None
    seconds: Mapping[str, Seconds]
    profiles: Mapping[str, OnProfile]
    too_large: tuple[TooLarge, ...] = ()


def flops(costs: Iterable[JobCost]) -> float:
    """Of those that are known."""
    return sum(cost.total or 0.0 for cost in costs)


def naive(plan: Plan, costs: Mapping[str, JobCost]) -> Naive | None:
    """None where the cost of a job is not known."""
    needed = {
        cell.id: {key for last in cell.evaluations.values() for key in plan.ancestors(last)} for cell in plan.cells
    }
    once = set().union(*needed.values())
    if any(costs[key].unknown for key in once):
        return None
    students = {cell.model for cell in plan.cells}

    def made(keys: set[str]) -> float:
        """Models that are trained before any student."""
        return flops(costs[key] for key in keys - students if plan.jobs[key].kind == "model")

    alone = given = 0.0
    for cell in plan.cells:
        own = {key for key in needed[cell.id] if plan.jobs[key].kind != "targets"}
        cost = flops(costs[key] for key in own) + total(costs[cell.model].alone)
        alone, given = alone + cost, given + cost - made(own)
    planned = flops(costs[key] for key in once)
    return Naive(planned, alone, (planned - made(once), given))
