"""A difficulty that orders nothing is refused where it is followed; of one that does, buckets are described."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clpd_bench.curriculum import Schedule, Streams, build_schedule, difficulty_buckets
from clpd_bench.curriculum.buckets import bucket_difficulties
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision

EXAMPLES = 24
BLEND = {"name": "blend", "strength": 0.5}
ORDERED = {"order": "easy_to_hard", "pacing": BLEND, "teachers": 2}
FOLLOWING = {
    "easy_to_hard": ORDERED,
    "hard_to_easy": {"order": "hard_to_easy", "pacing": BLEND},
    "shuffled_stages": {"order": "shuffled_stages", "pacing": BLEND},
    "homogeneous": {"order": "homogeneous", "pacing": BLEND},
    "permuted": {"order": "permuted:", "order_of": ORDERED},
    "by_difficulty": {"order": "shuffled", "teachers": 2, "rule": "by_difficulty:", "teachers_of": ORDERED},
    "anti_aligned": {"order": "shuffled", "teachers": 2, "rule": "anti_aligned"},
}
OTHERS = {
    "shuffled": {"order": "shuffled", "teachers": 2},
    "random_stages": {"order": "random_stages", "pacing": BLEND},
    "random teachers": {"order": "shuffled", "teachers": 2, "rule": "random"},
}


def supervision(rules: dict[str, Any], stages: int) -> Supervision:
    others = {name: supervision(rules[name], stages) for name in ("order_of", "teachers_of") if name in rules}
    return Supervision.model_validate({**rules, **others, "stages": stages})


def scheduled(rules: dict[str, Any], values: int, stages: int) -> Schedule:
    """Of examples whose difficulty has so many values."""
    ids = np.array([f"{i:02d}" for i in range(EXAMPLES)])
    difficulty = np.arange(EXAMPLES) % values + 0.5
    training = Training(steps=6, learning_rate=0.1)
    return build_schedule(ids, np.full(EXAMPLES, 5), difficulty, supervision(rules, stages), training, Streams(0))


@pytest.mark.parametrize("name", FOLLOWING)
@pytest.mark.parametrize(("values", "stages"), [(1, 2), (1, 4), (2, 3), (3, 4)])
def test_a_difficulty_of_fewer_values_than_stages_is_refused_where_it_is_followed(
    name: str, values: int, stages: int
) -> None:
    with pytest.raises(UserError, match=rf"has {values} value.* over 24 .* into {stages} stages") as error:
        scheduled(FOLLOWING[name], values, stages)
    assert error.value.key == "curriculum.difficulty"
    assert "0.5" in error.value.message
    scheduled(FOLLOWING[name], stages, stages)


@pytest.mark.parametrize("name", OTHERS)
def test_what_goes_by_chance_or_time_alone_needs_no_difficulty(name: str) -> None:
    scheduled(OTHERS[name], values=1, stages=3)


@given(st.lists(st.integers(0, 5), min_size=8, max_size=40), st.integers(1, 3))
def test_a_bucket_has_the_quartiles_of_its_examples_and_those_that_an_edge_parts_from_equals(
    levels: list[int], stages: int
) -> None:
    ids, difficulty = np.array([f"{i:02d}" for i in range(len(levels))]), np.array(levels, dtype=float)
    buckets = difficulty_buckets(ids, difficulty, np.full(len(levels), 3), stages)
    for bucket, found in enumerate(bucket_difficulties(difficulty, buckets), start=1):
        mine = [level for level, b in zip(levels, buckets.tolist(), strict=True) if b == bucket]
        others = {level for level, b in zip(levels, buckets.tolist(), strict=True) if b != bucket}
        assert found.examples == len(mine)
        assert found.quartiles == pytest.approx(tuple(np.percentile(mine, [25, 50, 75])))
        assert found.tied == sum(level in others for level in mine)
