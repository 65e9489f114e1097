"""The blend of buckets into stages: whole numbers whose margins hold, repeats spread evenly."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clpd_bench.curriculum.pacings import blend_shares, blended, controlled_rounding

STRENGTHS = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 1e-6, 1e-9, 0.999999, 0.3333333])


def visits_by_stage(buckets: np.ndarray, strength: float, epochs: int, seed: int) -> list[np.ndarray]:
    """The order cut into stages. A stage's size is read off the shares: it is sum_j M[k, j] E N_j
    rounded up or down, so the order is cut at each of the sizes that would do, and one must fit."""
    rng = np.random.default_rng(seed)
    order = blended(buckets, strength, epochs, rng)
    stages = int(buckets.max())
    sizes = [epochs * int((buckets == j).sum()) for j in range(1, stages + 1)]
    shares = blend_shares(stages, strength)
    counts = controlled_rounding([[share * n for share, n in zip(row, sizes, strict=True)] for row in shares])
    return np.split(order, np.cumsum(counts.sum(axis=1))[:-1])


def buckets_of(sizes: list[int]) -> np.ndarray:
    return np.repeat(np.arange(1, len(sizes) + 1), sizes)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), STRENGTHS)
@example([2, 2, 2], 0.999999)
@example([5, 5, 5, 5, 5], 1e-6)
def test_margins_of_the_blend_hold_at_any_strength(sizes: list[int], strength: float) -> None:
    k = len(sizes)
    share = Fraction(str(strength))
    wanted = [
        [(Fraction(1, k) * (1 - share) + (share if i == j else 0)) * sizes[j] for j in range(k)] for i in range(k)
    ]
    rounded = controlled_rounding(wanted)
    assert rounded.sum(axis=0).tolist() == sizes
    for i in range(k):
        assert int(rounded[i].sum()) in (math.floor(sum(wanted[i])), math.ceil(sum(wanted[i])))
        for j in range(k):
            assert int(rounded[i, j]) in (math.floor(wanted[i][j]), math.ceil(wanted[i][j]))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), STRENGTHS)
def test_shares_are_doubly_stochastic(stages: int, strength: float) -> None:
    shares = blend_shares(stages, strength)
    assert all(sum(row) == 1 for row in shares)
    assert all(sum(column) == 1 for column in zip(*shares, strict=True))
    assert min(min(row) for row in shares) >= 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(1, 3), st.integers(0, 5))
def test_at_strength_one_a_stage_draws_from_its_bucket_alone(sizes: list[int], epochs: int, seed: int) -> None:
    buckets = buckets_of(sizes)
    order = blended(buckets, 1.0, epochs, np.random.default_rng(seed))
    assert buckets[order].tolist() == np.repeat(np.arange(1, len(sizes) + 1), [n * epochs for n in sizes]).tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(1, 3), st.integers(0, 5))
def test_at_strength_zero_every_stage_has_its_share_of_every_bucket(sizes: list[int], epochs: int, seed: int) -> None:
    buckets, k = buckets_of(sizes), len(sizes)
    for stage in visits_by_stage(buckets, 0.0, epochs, seed):
        counts = np.bincount(buckets[stage], minlength=k + 1)[1:]
        for n, count in zip(sizes, counts.tolist(), strict=True):
            assert count in (n * epochs // k, -(-n * epochs // k))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 10), min_size=1, max_size=4), STRENGTHS, st.integers(1, 5), st.integers(0, 5))
def test_repeats_of_an_example_are_spread_evenly_over_the_stages(
    sizes: list[int], strength: float, epochs: int, seed: int
) -> None:
    buckets = buckets_of(sizes)
    seen = np.zeros(len(buckets), dtype=int)
    for stage in visits_by_stage(buckets, strength, epochs, seed):
        seen += np.bincount(stage, minlength=len(buckets))
        for j in range(1, len(sizes) + 1):
            mine = seen[buckets == j]
            assert mine.max() - mine.min() <= 1  # nobody comes again before all the others have come
    assert set(seen.tolist()) == {epochs}


def test_a_stage_is_shuffled_inside() -> None:
    buckets = buckets_of([30, 30])
    first = visits_by_stage(buckets, 0.5, 1, 0)[0]
    assert first.tolist() != sorted(first.tolist())
    changes = int((np.diff(buckets[first]) != 0).sum())
    assert changes > 3  # its buckets are mixed, not one behind the other


@pytest.mark.parametrize("strength", [0.1, 0.2, 0.3, 0.6, 0.7])
def test_a_share_that_is_whole_by_hand_is_met_exactly(strength: float) -> None:
    # 100 of each of 2 buckets: stage k takes 50 (1 + s) of its own and 50 (1 - s) of the other.
    own = round(50 * (1 + strength))
    first, second = visits_by_stage(buckets_of([100, 100]), strength, 1, 0)
    assert [int((first < 100).sum()), int((first >= 100).sum())] == [own, 100 - own]
    assert [int((second < 100).sum()), int((second >= 100).sum())] == [100 - own, own]
