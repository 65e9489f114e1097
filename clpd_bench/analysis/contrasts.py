"""The contrasts of one benchmark: every arm against the baseline, and the interaction of order and teachers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pandas.util import hash_array

from clpd_bench.analysis.declaration import INTERACTION, Factorial
from clpd_bench.analysis.outcomes import (
    Evaluation,
    FloatArray,
    Outcomes,
    Run,
    benchmark_outcomes,
    complete_seeds,
    outcome_array,
)
from clpd_bench.analysis.two_way import Moments, moments


def interaction(
    y_clpd: FloatArray,
    y_data_ordering: FloatArray,
    y_teacher_scheduling: FloatArray,
    y_standard: FloatArray,
) -> FloatArray:
    """I[seed, item] = y_clpd - y_data_ordering - y_teacher_scheduling + y_standard.

    The interaction of a 2 x 2 factorial on the scale of the metric (for accuracy the probability
    scale, not log-odds). Positive = together more of the metric than the two effects added up,
    which is worse where lower is better.
    """
    return y_clpd - y_data_ordering - y_teacher_scheduling + y_standard


@dataclass(frozen=True)
class Block:
    """What is kept of one metric series.

    Attributes:
        items: a hash of each item's id, ascending. Ids are hashes of content: the same item has one on all benchmarks.
        means: over items, of every arm's runs.
        contrasts: by arm, and INTERACTION, over the seeds that are complete.
    """

    benchmark: str
    metric: str
    filter: str
    items: npt.NDArray[np.uint64]
    means: dict[Run, float]
    contrasts: dict[str, Moments]

    @property
    def arms(self) -> set[str]:
        return {arm for arm, _ in self.means}

    def contrast(self, name: str) -> Moments:
        """Without any seed where the arm has no outcomes here."""
        nothing = Moments((), np.empty(0), np.empty((0, 0)), len(self.items))
        return self.contrasts.get(name, nothing)


def four(factorial: Factorial) -> tuple[str, str, str, str]:
    """The arms in the order in which `interaction` takes them."""
    return factorial.clpd, factorial.data_ordering, factorial.teacher_scheduling, factorial.standard


def blocks(
    benchmark: str,
    evaluations: Iterable[Evaluation],
    baseline: str,
    factorial: Factorial | None,
    diverged: frozenset[Run],
) -> list[Block]:
    """One for each metric and filter; all items are let go.

    Raises:
        UserError: see `benchmark_outcomes`.
    """
    return [
        _block((benchmark, *key), checked, baseline, factorial, diverged)
        for key, checked in benchmark_outcomes(benchmark, evaluations).items()
    ]


def _block(
    name: tuple[str, str, str],
    checked: Outcomes,
    baseline: str,
    factorial: Factorial | None,
    diverged: frozenset[Run],
) -> Block:
    averages = zip(checked.runs, checked.scores.mean(axis=1).tolist(), strict=True)
    means = {run: mean for run, mean in averages if run[0] not in checked.references}
    contrasts: dict[str, Moments] = {}
    for arm in sorted({arm for arm, _ in means} - {baseline}):
        seeds = complete_seeds(checked, (arm, baseline), diverged)
        if seeds:
            y_arm, y_baseline = (outcome_array(checked, one, seeds) for one in (arm, baseline))
            contrasts[arm] = moments(y_arm - y_baseline, seeds)
    if factorial is not None:
        seeds = complete_seeds(checked, four(factorial), diverged)
        if seeds:
            y = [outcome_array(checked, arm, seeds) for arm in four(factorial)]
            contrasts[INTERACTION] = moments(interaction(*y), seeds)
    items = np.sort(hash_array(np.array(checked.items, dtype=object)))
    return Block(*name, items, means, contrasts)
