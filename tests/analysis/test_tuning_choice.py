"""Choosing among trials: the best mean, ties by the list, a diverged trial worse than any other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clpd_bench.results.tuning import choose, edges, mean_and_sd

# Not so near zero that signs or sums round away.
numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
means = st.lists(st.none() | numbers, min_size=1, max_size=12)


@given(means)
def test_the_chosen_trial_is_the_first_of_the_best_that_did_not_diverge(found: list[float | None]) -> None:
    for metric, worst, best in (("response_loss", math.inf, np.argmin), ("sequence_accuracy", -math.inf, np.argmax)):
        filled = [worst if mean is None else mean for mean in found]
        expected = None if all(mean is None for mean in found) else int(best(filled))
        assert choose(found, metric) == expected


@given(st.lists(numbers, min_size=2, max_size=8))
def test_mean_and_sd_are_the_samples(scores: list[float]) -> None:
    mean, sd = mean_and_sd(scores)
    assert mean == pytest.approx(np.mean(scores), abs=1e-6)
    assert sd == pytest.approx(np.std(scores, ddof=1), abs=1e-6)


@given(st.lists(numbers, min_size=1, max_size=5), st.integers(0, 5))
def test_one_diverged_seed_makes_its_trial_the_worst_whatever_the_others_reached(
    scores: list[float], place: int
) -> None:
    holed: list[float | None] = [*scores]
    holed.insert(place, None)
    trial = mean_and_sd(holed)[0]
    assert trial is None
    assert choose([trial, 1e9], "response_loss") == 1
    assert choose([trial, -1e9], "sequence_accuracy") == 1


def test_one_seed_has_no_sd() -> None:
    assert mean_and_sd([0.5]) == (0.5, None)


def test_a_chosen_value_at_an_end_of_its_space_is_flagged_in_whatever_order_values_are_listed() -> None:
    space = {"rate": [2e-5, 4e-5, 1e-5], "decay": [0, 0.1, 0.2], "flag": [False, True], "one": [3], "name": ["a", "b"]}
    within = {"rate": 2e-5, "decay": 0.1, "flag": True, "one": 3, "name": "a"}
    assert edges(within, space) == []
    assert edges({**within, "rate": 1e-5}, space) == ["rate"]
    assert edges({**within, "rate": 4e-5, "decay": 0}, space) == ["rate", "decay"]
