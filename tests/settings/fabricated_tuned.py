"""A tuned file of invented scores."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clpd_bench.grid.load import load_untuned
from clpd_bench.grid.points import points
from clpd_bench.grid.tuned import Budget, Trial, Tuned, TunedArm, declared
from clpd_bench.results.tuning import edges as edges_of
from clpd_bench.results.tuning import write_tuned
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import identity
from clpd_bench.settings.parts.tune import TuneSettings

RATES = "{student.training.learning_rate: [1e-3, 2e-3, 4e-3]}"
TUNE = f"tune={{space: {RATES}, seeds: [100, 101]}}"


def tuned_by_hand(
    file: Path,
    best: Mapping[str, dict[str, Any]],
    *sets: str,
    at: Mapping[str, Mapping[str, dict[str, Any]]] | None = None,
) -> Path:
    """The file that `clpd tune` would write if the arms' best points of the space were these; of an arm without one,
    the first.

    Args:
        at: {point of the grid: what is best there}, where it is not `best`.
    """
    ablation = load_untuned(file, [TUNE, *sets])
    assert ablation.tune
    tune = declared(ablation, ablation.tune)
    grid = points(ablation)
    arms = {
        one.name: {
            n: _arm(one.ablation, n, tune, {**best, **(at or {}).get(one.name, {})}.get(n)) for n in tune.arms or ()
        }
        for one in grid
    }
    return write_tuned(Tuned(tune=tune, git=("a" * 40,), points=arms), file)


def _arm(ablation: Ablation, name: str, tune: TuneSettings, best: dict[str, Any] | None) -> TunedArm:
    space = [dict(zip(tune.space, values, strict=True)) for values in itertools.product(*tune.space.values())]
    chosen = best or space[0]
    trials = []
    for values in space:
        mean = 1.0 if values == chosen else 2.0
        scores: dict[int, float | None] = dict.fromkeys(tune.seeds, mean)
        students = dict.fromkeys(tune.seeds, "key")
        trials.append(Trial(values=values, mean=mean, sd=0.0, n=2, diverged=0, scores=scores, students=students))
    budget = Budget(trials=len(space), seeds=2, students=2 * len(space), steps=60, tokens=600)
    edges = tuple(edges_of(chosen, tune.space))
    return TunedArm(
        **identity(ablation, name), chosen=chosen, mean=1.0, sd=0.0, edges=edges, budget=budget, trials=tuple(trials)
    )
