"""Jobs by the names that people give them."""

from __future__ import annotations

from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan


def cell_keys(plan: Plan, name: str) -> set[str]:
    """Keys of all jobs that a cell (`smoke/clpd/0`, or `clpd/0`) needs for its evaluations.

    Raises:
        UserError: there is no such cell.
    """
    for cell in plan.cells:
        if name in (cell.id, cell.id.split("/", 1)[1]):
            return {key for last in cell.evaluations.values() for key in plan.ancestors(last)}
    raise UserError("there is no such cell", found=name, allowed=[cell.id.split("/", 1)[1] for cell in plan.cells])
