"""Random corpora, curricula and arms for properties of controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from clpd_bench.curriculum import Schedule, Streams, build_schedule, difficulty_buckets
from clpd_bench.curriculum.buckets import require_order
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.loss import ForwardKl
from clpd_bench.settings.parts.orders import Permuted
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision

KL = ForwardKl(name="forward_kl")


@dataclass(frozen=True)
class Case:
    """N examples, K stages, M teachers, E epochs, S steps; `strength` of a blend, `replay` of a mixed pacing."""

    ids: NDArray[np.str_]
    tokens: NDArray[np.int64]
    difficulty: NDArray[np.float64]
    stages: int
    teachers: int
    strength: float
    replay: float
    epochs: int
    steps: int
    seed: int

    @property
    def total(self) -> int:
        return int(self.tokens.sum()) * self.epochs

    @property
    def buckets(self) -> NDArray[np.int64]:
        return difficulty_buckets(self.ids, self.difficulty, self.tokens, self.stages)

    def supervision(self, order: str = "shuffled", rule: str | None = None, pacing: str = "blend") -> Supervision:
        """Of the orders and rules that refer to no other arm."""
        parameters = {"blend": {"strength": self.strength}, "mixed": {"replay": self.replay}}.get(pacing, {})
        return Supervision.model_validate(
            {
                "loss": KL,
                "order": order,
                "stages": self.stages,
                "pacing": {"name": pacing, **parameters},
                "teachers": self.teachers if rule else 1,
                "rule": rule,
            }
        )

    def permuted(self, of: Supervision) -> Supervision:
        return Supervision(loss=KL, order=Permuted(name="permuted", of=""), order_of=of, teachers=1)

    def schedule(self, supervision: Supervision, seed: int | None = None) -> Schedule:
        training = Training(epochs=self.epochs, steps=self.steps, learning_rate=0.1)
        chosen = self.seed if seed is None else seed
        return build_schedule(self.ids, self.tokens, self.difficulty, supervision, training, Streams(chosen))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n, stages = draw(st.integers(4, 40)), draw(st.integers(2, 4))
    tokens = np.array(draw(st.lists(st.integers(2, 30), min_size=n, max_size=n)), dtype=np.int64)
    difficulty = np.array(draw(st.lists(st.integers(0, 6), min_size=n, max_size=n)), dtype=np.float64)
    epochs = draw(st.integers(1, 4))
    case = Case(
        np.array([f"{i:03d}" for i in range(n)]),
        tokens,
        difficulty,
        stages,
        draw(st.integers(2, stages)),
        draw(st.sampled_from([0.0, 1.0, 0.5]) | st.floats(0, 1)),
        draw(st.floats(0.05, 0.95)),
        epochs,
        draw(st.integers(1, max(1, int(tokens.sum()) * epochs // 30))),
        draw(st.integers(0, 9)),
    )
    try:
        require_order(difficulty, stages)
        # Random ranks cut elsewhere; half a bucket of room keeps them from leaving one empty.
        assume(tokens.max() * stages * 2 <= tokens.sum())
        assume(len(set(case.buckets.tolist())) == stages)
    except UserError:
        assume(False)
    return case


def counts(examples: NDArray[np.int64], size: int) -> list[int]:
    return np.bincount(examples, minlength=size).tolist()
