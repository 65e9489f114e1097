"""What the declared seeds can find, and what more would cost, as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clpd_bench.analysis.declaration import INTERACTION, Factorial
from clpd_bench.analysis.power import POWER, detectable_effect, found, seeds_needed, too_few_seeds
from clpd_bench.analysis.spread import SeedMeans, blinded, of_differences
from clpd_bench.plan.plan import Plan
from clpd_bench.results.seed_scores import primary_means
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.analysis import AnalysisSettings
from clpd_bench.store import Store

EFFECTS = (0.5, 1.0, 1.5, 2.0, 2.5)
"""In standard deviations of the paired difference."""

INTERACTION_SPREAD = math.sqrt(2)
"""The spread of an interaction, in that of a difference: it adds four residuals, a difference two."""

Cost = Mapping[str, Any]
"""`seconds` of one more seed, and the `device` that they are of."""


def power_of(ablation: Ablation, plan: Plan, store: Store, cost: Cost | None) -> dict[str, Any]:
    """Of one point's plan. No difference between arms is looked at: the spread is the declared one, else the
    blinded one of finished cells, else unknown, and effects are then in units of it.

    `alone` is with alpha; `worst` is with alpha / m, m the comparisons of the family: what a comparison meets
    under Holm where it is the first to be found, or the only one there is to find.
    """
    spread = declared_spread(ablation) or blinded_spread(primary_means(plan, store, ablation.analysis.primary))
    return power_summary(ablation, spread, cost)


def power_summary(ablation: Ablation, spread: dict[str, Any] | None, cost: Cost | None) -> dict[str, Any]:
    """As `power_of`, of a known spread."""
    analysis = ablation.analysis
    seeds, family, alpha = len(ablation.seeds), len(analysis.family), analysis.alpha
    alphas = {"alone": alpha, "worst": alpha / family}
    few = too_few_seeds(seeds, family, alpha)
    sd = spread["sd"] if spread else None
    return {
        "benchmark": analysis.primary.benchmark,
        "metric": analysis.primary.metric,
        "seeds": seeds,
        "comparisons": family,
        "interaction": "interaction" in analysis.family,
        "alpha": alpha,
        "power": POWER,
        "spread": spread,
        "detectable": {name: _effect(detectable_effect(seeds, level), sd) for name, level in alphas.items()},
        "effects": [_row(effect, sd, seeds, alphas, cost) for effect in EFFECTS],
        "one_more_seed": dict(cost) if cost else None,
        "warning": f"{few.what}. {few.fix}" if few else None,
    }


def declared_spread(ablation: Ablation) -> dict[str, Any] | None:
    sd = ablation.analysis.spread
    return {"source": "declared", "sd": sd} if sd is not None else None


def blinded_spread(means: SeedMeans) -> dict[str, Any] | None:
    """None where too little has finished, or nothing varies."""
    one = blinded(means)
    if one is None or one.difference.sd <= 0:
        return None
    return {
        "source": "blinded",
        **vars(one.difference),
        "arm_sd": one.arm_sd,
        "correlation": one.correlation,
        "arms": one.arms,
        "seeds": one.seeds,
    }


def _effect(effect: float, sd: float | None) -> dict[str, float | None]:
    return {"d_z": effect, "difference": None if sd is None else effect * sd}


def _row(effect: float, sd: float | None, seeds: int, alphas: Mapping[str, float], cost: Cost | None) -> dict[str, Any]:
    needed = {name: seeds_needed(effect, level) for name, level in alphas.items()}
    added = {name: None if n is None else max(0, n - seeds) for name, n in needed.items()}
    return {
        **_effect(effect, sd),
        "power": {name: found(effect, seeds, level) for name, level in alphas.items()},
        "seeds_needed": needed,
        "added_seeds": added,
        "added_seconds": {
            name: None if cost is None or n is None else n * cost["seconds"] for name, n in added.items()
        },
    }


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
