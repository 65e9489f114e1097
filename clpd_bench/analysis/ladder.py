"""Whether the teachers rise: each better on validation items than the one that the file has before it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from clpd_bench.corpus.reader import read_table
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Ladder, Plan
from clpd_bench.settings.parts.metrics import METRICS, lower_is_better
from clpd_bench.store import Store


@dataclass(frozen=True)
class Scored:
    """Attributes:
    scores: {teacher: mean over validation items, in the metric's own unit} of those that are evaluated, in the
        file's order. Nothing is said of the others.
    """

    ladder: Ladder
    scores: dict[str, float]

    @property
    def sentence(self) -> str:
        """That they do not rise, and what to write instead, as a clause; empty where they do, as far as is known.

        The order of the means decides, however near they are: how far apart they are is said.
        """
        steps = [f"{b} {self._behind(b, a)} {a}" for a, b in pairwise(self.scores) if not self._better(b, a)]
        if not steps:
            return ""
        last, metric = self.ladder.teachers[-1][0], self.ladder.metric
        topped = last in self.scores and any(not self._better(last, other) for other in self.scores if other != last)
        wrong = "`strongest` is not the strongest" if topped else "`weak_to_strong` does not go from weak to strong"
        shown = ", ".join(f"{name} {score:.4g}" for name, score in self.scores.items())
        return (
            f"the teachers do not rise: {shown} (validation {self.ladder.corpus} {metric}, {METRICS[metric]} is "
            f"better; {', '.join(steps)}), so {wrong}{self._fix()}"
        )

    @property
    def missing(self) -> list[str]:
        """A sentence for each teacher of which nothing can be said yet."""
        return [
            f"Teacher {name} is not evaluated on validation items of {self.ladder.corpus}: whether it stands in its "
            "place is not known."
            for name, _ in self.ladder.teachers
            if name not in self.scores
        ]

    def to_json(self) -> dict[str, Any]:
        """`rises` is None until two teachers are evaluated."""
        return {
            "point": self.ladder.point,
            "corpus": self.ladder.corpus,
            "metric": self.ladder.metric,
            "filter": self.ladder.filter,
            "teachers": [{"name": name, "score": self.scores.get(name)} for name, _ in self.ladder.teachers],
            "rises": not self.sentence if len(self.scores) > 1 else None,
        }

    def _better(self, one: str, other: str) -> bool:
        """Not where they are equal, or a score is no number."""
        a, b = self.scores[one], self.scores[other]
        return a > b if not lower_is_better(self.ladder.metric) else a < b

    def _behind(self, one: str, other: str) -> str:
        apart = abs(self.scores[one] - self.scores[other])
        return f"is {apart:.2g} behind" if apart else "is level with"

    def _fix(self) -> str:
        """Once all are known, and some order of them rises."""
        weakest_first = sorted(self.scores, key=lambda name: self.scores[name])
        if lower_is_better(self.ladder.metric):
            weakest_first.reverse()
        rises = all(self._better(b, a) for a, b in pairwise(weakest_first))
        whole = len(self.scores) == len(self.ladder.teachers)
        return f": write `teachers: [{', '.join(weakest_first)}]`" if rises and whole else ""


def scored(ladder: Ladder, store: Store) -> Scored:
    """As far as its evaluations are done, and can be read."""
    done = [(name, _mean(ladder, key, store)) for name, key in ladder.teachers if store.is_done(key)]
    return Scored(ladder, {name: mean for name, mean in done if mean is not None})


def ladders_of(plan: Plan, store: Store) -> list[Scored]:
    """Those of a plan, point by point."""
    return [scored(ladder, store) for ladder in plan.ladders]


def falls(ladders: Sequence[Scored]) -> list[str]:
    """A clause for each that does not rise; where that is not at all points of a grid, with those at which it is."""
    points: dict[str, list[str]] = {}
    for one in ladders:
        if one.sentence:
            points.setdefault(one.sentence, []).append(one.ladder.point)
    return [
        said if len(at) == len(ladders) else f"at {', '.join(one or '[base]' for one in at)} {said}"
        for said, at in points.items()
    ]


def _mean(ladder: Ladder, key: str, store: Store) -> float | None:
    """None of an artifact that is damaged: `clpd store verify` tells that, and who looks at a plan goes on."""
    try:
        table = read_table(store.artifact(key) / "items.parquet").select(["metric", "filter", "score"])
    except UserError:
        return None
    return statistics.fmean(
        row["score"]
        for row in table.to_pylist()
        if row["metric"] == ladder.metric and ladder.filter in (None, row["filter"])
    )
