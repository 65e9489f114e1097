"""Whether the declared comparisons have seeds enough to find anything."""

from __future__ import annotations

from typing import Any

from clpd_bench.analysis.enough_seeds import too_few_seeds
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.plan.plan import Plan


def check_seeds(plan: Plan) -> list[Finding]:
    """Of each point's declaration; what is alike is said once."""
    points: dict[str, dict[str, Any]] = plan.declaration.get("points", {"": plan.declaration})
    alike = {(len(one["seeds"]), len(one["family"]), float(one["alpha"])) for one in points.values()}
    few = (too_few_seeds(*one) for one in sorted(alike))
    return [Finding("warning", one.what, one.fix) for one in few if one]
