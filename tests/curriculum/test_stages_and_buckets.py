"""Where stages begin and end, who teaches in them, what is in a bucket."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clpd_bench.curriculum import Streams, build_schedule, difficulty_buckets, stage_of_step, teacher_of_stage
from clpd_bench.curriculum.stages import stage_bounds
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.loss import ForwardKl
from clpd_bench.settings.parts.orders import EasyToHard
from clpd_bench.settings.parts.pacings import Blend
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


@given(st.integers(1, 400), st.integers(1, 12))
def test_stage_bounds_are_the_rounded_shares_of_the_steps(steps: int, stages: int) -> None:
    wanted = [
        (half_up(Fraction((k - 1) * steps, stages)) + 1, half_up(Fraction(k * steps, stages)))
        for k in range(1, stages + 1)
    ]
    assert stage_bounds(steps, stages) == wanted


@given(st.integers(1, 400), st.integers(1, 12))
def test_every_step_is_in_the_stage_whose_bounds_hold_it(steps: int, stages: int) -> None:
    of_step = stage_of_step(steps, stages).tolist()
    bounds = stage_bounds(steps, stages)
    assert [next(k for k, (a, b) in enumerate(bounds, start=1) if a <= s <= b) for s in range(1, steps + 1)] == of_step


@given(st.integers(1, 12).flatmap(lambda k: st.tuples(st.just(k), st.integers(1, k))))
def test_the_teacher_of_a_stage_is_its_share_rounded_up(sizes: tuple[int, int]) -> None:
    stages, teachers = sizes
    got = [teacher_of_stage(k, teachers, stages) for k in range(1, stages + 1)]
    assert got == [math.ceil(Fraction(k * teachers, stages)) for k in range(1, stages + 1)]
    assert set(got) == set(range(1, teachers + 1))  # nobody is left out
    assert got == sorted(got)  # weak before strong


@given(st.integers(1, 8), st.integers(1, 8))
def test_fewer_stages_than_teachers_are_refused(stages: int, more: int) -> None:
    with pytest.raises(ValueError, match="cannot seat"):
        teacher_of_stage(1, stages + more, stages)


@pytest.mark.parametrize(("stages", "teachers"), [(2, 2), (3, 2), (5, 3), (4, 1)])
def test_teachers_follow_steps(stages: int, teachers: int) -> None:
    n, steps = 60, 17
    supervision = Supervision(
        loss=ForwardKl(name="forward_kl"),
        order=EasyToHard(name="easy_to_hard"),
        stages=stages,
        pacing=Blend(name="blend", strength=0.7),
        teachers=teachers,
    )
    ids = np.array([f"{i:03d}" for i in range(n)])
    training = Training(epochs=2, steps=steps, learning_rate=0.1)
    schedule = build_schedule(ids, np.arange(n) % 7 + 3, np.arange(n, dtype=float), supervision, training, Streams(3))
    for step, _, who in schedule.batches():
        stage = next(k for k, (a, b) in enumerate(stage_bounds(steps, stages), start=1) if a <= step <= b)
        assert schedule.stage[step - 1] == stage
        assert set(who.tolist()) == {math.ceil(stage * teachers / stages)}


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 30), st.integers(1, 4), st.randoms(use_true_random=False))
def test_buckets_hold_equal_tokens_in_ranked_order_ties_by_id(n: int, stages: int, random: object) -> None:
    rng = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    ids = np.array([f"{i:02d}" for i in range(n)])
    difficulty = rng.integers(0, 4, size=n).astype(float)
    tokens = rng.integers(1, 9, size=n)
    wanted = np.zeros(n, dtype=int)
    total, so_far = int(tokens.sum()), 0
    for i in sorted(range(n), key=lambda i: (difficulty[i], ids[i])):
        so_far += int(tokens[i])
        wanted[i] = math.ceil(Fraction(so_far * stages, total))
    if set(wanted.tolist()) == set(range(1, stages + 1)):
        assert difficulty_buckets(ids, difficulty, tokens, stages).tolist() == wanted.tolist()
    else:
        with pytest.raises(UserError, match="holds no example"):
            difficulty_buckets(ids, difficulty, tokens, stages)


def test_ties_go_by_id_and_never_by_position() -> None:
    ids = np.array(["d", "a", "c", "b"])
    assert difficulty_buckets(ids, np.zeros(4), np.ones(4, dtype=int), 2).tolist() == [2, 1, 2, 1]


def test_an_empty_bucket_is_told_with_its_number_and_the_fix() -> None:
    with pytest.raises(
        UserError, match=r"curriculum\.stages: bucket 3 of 3 .*|bucket \d of 3 holds no example"
    ) as told:
        difficulty_buckets(np.array(["a", "b"]), np.array([1.0, 2.0]), np.array([5, 5]), 3)
    assert "Use fewer stages or more examples" in str(told.value)
