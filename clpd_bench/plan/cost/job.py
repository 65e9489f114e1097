"""What one job costs."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.plan.cost.memory import Peak
from clpd_bench.plan.cost.parameters import parameters
from clpd_bench.plan.cost.terms import Term, total
from clpd_bench.settings.dimensions import Dimensions


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
