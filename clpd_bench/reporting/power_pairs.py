"""What each comparison of the family can find, by the spread of its own differences: this looks at outcomes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clpd_bench.analysis.declaration import INTERACTION, Factorial
from clpd_bench.analysis.power import detectable_effect, seeds_needed
from clpd_bench.analysis.spread import SeedMeans, of_differences
from clpd_bench.settings.analysis import AnalysisSettings

HALF = 0.5


def comparisons_power(
    analysis: AnalysisSettings, factorial: Factorial | None, means: SeedMeans, seeds: int
) -> list[dict[str, Any]]:
    """One entry a comparison of the family, in its order.

    The spread is of the paired differences at the seeds that have finished, what they find is with the seeds
    that were declared. The mean difference takes no part: the power at an effect as it was observed is p in
    other words.

    Args:
        seeds: declared.
    """
    out = []
    for name in analysis.family:
        signs = _signs(name, analysis.baseline, factorial)
        differences = _differences(signs, means)
        out.append({"comparison": name, "seeds": len(differences), **_found(differences, analysis, seeds)})
    return out


def _signs(name: str, baseline: str, factorial: Factorial | None) -> dict[str, int]:
    if name != INTERACTION:
        return {name: 1, baseline: -1}
    if factorial is None:
        return {}
    return {
        factorial.clpd: 1,
        factorial.data_ordering: -1,
        factorial.teacher_scheduling: -1,
        factorial.standard: 1,
    }


def _differences(signs: Mapping[str, int], means: SeedMeans) -> Sequence[float]:
    """At the seeds that all of a comparison's arms have."""
    seeds = sorted({seed for _, seed in means})
    complete = [seed for seed in seeds if all((arm, seed) in means for arm in signs)] if signs else []
    return [math.fsum(sign * means[arm, seed] for arm, sign in signs.items()) for seed in complete]


def _found(differences: Sequence[float], analysis: AnalysisSettings, seeds: int) -> dict[str, Any]:
    """`seeds_for_half`: what it takes to find half as much."""
    spread = of_differences(np.array(differences))
    if spread is None or spread.sd <= 0:
        return {"spread": None, "detectable": None, "seeds_for_half": None}
    strict = analysis.alpha / len(analysis.family)
    alone, worst = detectable_effect(seeds, analysis.alpha), detectable_effect(seeds, strict)
    return {
        "spread": vars(spread),
        "detectable": {
            "alone": {"d_z": alone, "difference": alone * spread.sd},
            "worst": {"d_z": worst, "difference": worst * spread.sd},
        },
        "seeds_for_half": seeds_needed(HALF * worst, strict),
    }
