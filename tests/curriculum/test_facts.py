"""What settings say of an order, a teacher rule and a pacing is what its function does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from clpd_bench.curriculum.material import Material
from clpd_bench.curriculum.orders import ORDERS, sequence
from clpd_bench.curriculum.pacings import PACINGS
from clpd_bench.curriculum.streams import Streams
from clpd_bench.curriculum.teachers import TEACHER_RULES, teachers
from clpd_bench.settings.specs import Supervision

STAGES = 3
FIELDS: dict[str, dict[str, Any]] = {
    "permuted": {"of": ""},
    "by_difficulty": {"of": ""},
    "only": {"teacher": "small"},
    "blend": {"strength": 0.6},
    "mixed": {"replay": 0.3},
}
SHUFFLED = Supervision.model_validate({"order": "shuffled", "stages": STAGES, "teachers": 2})


@dataclass(frozen=True)
class WatchedStreams(Streams):
    """Streams that remember what was drawn from them."""

    drawn: set[str] = field(default_factory=set)

    def generator(self, purpose: str, *counters: int) -> np.random.Generator:
        self.drawn.add(purpose)
        return super().generator(purpose, *counters)


def named(name: str) -> dict[str, Any]:
    return {"name": name, **FIELDS.get(name, {})}


def material(hard: bool = True) -> Material:
    n = 12
    ids, tokens = np.array([f"{i:02d}" for i in range(n)]), np.full(n, 5)
    return Material(ids, tokens, np.arange(n, dtype=np.float64) if hard else None, 2, 6, WatchedStreams(0))


def beside_the_order(seen: Material) -> bool:
    assert isinstance(seen.streams, WatchedStreams)
    return bool(seen.streams.drawn - {"order"})


def fails(supervision: Supervision, seen: Material) -> bool:
    """Whether something is missing that the function wants."""
    try:
        teachers(supervision, seen, sequence(supervision, seen))
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("name", ORDERS)
def test_facts_of_an_order(name: str) -> None:
    supervision = Supervision.model_validate(
        {"order": named(name), "stages": STAGES, "pacing": "partition", "order_of": SHUFFLED}
    )
    order = supervision.order
    assert (order.of_arm is not None) == fails(supervision.model_copy(update={"order_of": None}), material())
    if order.of_arm is None:
        supervision = supervision.model_copy(update={"order_of": None})
    seen = material()
    assert not fails(supervision, seen)
    assert order.drawn == beside_the_order(seen)
    assert order.needs_difficulty == fails(supervision, material(hard=False))
    assert order.paced == fails(supervision.model_copy(update={"pacing": None, "stages": None}), material())


@pytest.mark.parametrize("name", sorted({*TEACHER_RULES} - {"plugin"}))
def test_facts_of_a_teacher_rule(name: str) -> None:
    supervision = SHUFFLED.model_copy(update={"teachers_of": SHUFFLED})
    supervision = Supervision.model_validate({**dict(supervision), "rule": named(name)})
    rule = supervision.rule
    assert rule
    seen = material()
    taught = teachers(supervision, seen, sequence(supervision, seen))
    assert rule.drawn == beside_the_order(seen)
    assert rule.has_teacher == taught.any()
    assert rule.needs_difficulty == fails(supervision, material(hard=False))
    assert (rule.of_arm is not None) == fails(supervision.model_copy(update={"teachers_of": None}), material())


@pytest.mark.parametrize("name", sorted({*PACINGS} - {"plugin"}))
def test_facts_of_a_pacing(name: str) -> None:
    supervision = Supervision.model_validate({"order": "easy_to_hard", "stages": STAGES, "pacing": named(name)})
    assert supervision.pacing
    shown = np.bincount(sequence(supervision, material()).examples, minlength=12)
    assert supervision.pacing.equal_exposure == (len(set(shown.tolist())) == 1)
