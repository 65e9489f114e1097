"""Whether the declared comparisons have seeds enough to find anything."""

from __future__ import annotations

from typing import Any

from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.plan.plan import Plan

LARGE = 2.0
"""Standard deviations of the paired difference. A comparison that finds only more than that finds little."""


def check_seeds(plan: Plan) -> list[Finding]:
    """Of each point's declaration; what is alike is said once."""
    points: dict[str, dict[str, Any]] = plan.declaration.get("points", {"": plan.declaration})
    alike = {(len(one["seeds"]), len(one["family"]), float(one["alpha"])) for one in points.values()}
    return [finding for seeds, family, alpha in sorted(alike) for finding in _enough(seeds, family, alpha)]


def _enough(seeds: int, family: int, alpha: float) -> list[Finding]:
    from clpd_bench.analysis.power import detectable_effect  # scipy, more than a second

    compared = f"{family} comparison{'s' if family > 1 else ''}"
    if seeds < 2:
        what = f"with 1 seed and {compared} nothing can be tested: a paired test needs 2 or more"
        return [Finding("warning", what, "Add seeds, as in --set 'seeds=[0, 1, 2, 3, 4]'")]
    # After Holm the smallest p is compared with this.
    strict = alpha / family
    found = detectable_effect(seeds, strict)
    if found <= LARGE:
        return []
    more = seeds + 2
    what = (
        f"with {seeds} seeds and {compared} only differences of more than {found:.1f} standard deviations (of the "
        f"difference between two arms at one seed) are found in 80 % of cases"
    )
    fix = f"{more} seeds would find {detectable_effect(more, strict):.1f}: --set 'seeds={list(range(more))}'"
    return [Finding("warning", what, fix)]
