"""A tuned file of invented scores."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clpd_bench.reporting.tuning.file import write_tuned
from clpd_bench.settings.arms import identity
from clpd_bench.settings.load import load_untuned
from clpd_bench.settings.tuned import Budget, Trial, Tuned, TunedArm, declared

RATES = "{student.training.learning_rate: [1e-3, 2e-3, 4e-3]}"
TUNE = f"tune={{space: {RATES}, seeds: [100, 101]}}"


def tuned_by_hand(file: Path, best: Mapping[str, dict[str, Any]], *sets: str) -> Path:
    """The file that `clpd tune` would write if the arms' best points were these; of an arm without one, the first."""
    ablation = load_untuned(file, [TUNE, *sets])
    assert ablation.tune
    tune = declared(ablation, ablation.tune)
    points = [dict(zip(tune.space, values, strict=True)) for values in itertools.product(*tune.space.values())]
    arms = {}
    for name in tune.arms or ():
        chosen = best.get(name, points[0])
        trials = []
        for point in points:
            mean = 1.0 if point == chosen else 2.0
            scores: dict[int, float | None] = dict.fromkeys(tune.seeds, mean)
            students = dict.fromkeys(tune.seeds, "key")
            trials.append(Trial(values=point, mean=mean, sd=0.0, n=2, diverged=0, scores=scores, students=students))
        budget = Budget(trials=len(points), seeds=2, students=2 * len(points), steps=60, tokens=600)
        arms[name] = TunedArm(
            **identity(ablation, name), chosen=chosen, mean=1.0, sd=0.0, budget=budget, trials=tuple(trials)
        )
    return write_tuned(Tuned(tune=tune, git=("a" * 40,), arms=arms), file)
