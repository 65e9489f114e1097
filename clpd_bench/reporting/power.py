"""What the declared seeds can find, and what more would cost, as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clpd_bench.analysis.enough_seeds import too_few_seeds
from clpd_bench.analysis.power import POWER, detectable_effect, found, seeds_needed
from clpd_bench.analysis.spread import SeedMeans, blinded
from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.seed_scores import primary_means
from clpd_bench.settings.ablation import Ablation
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
