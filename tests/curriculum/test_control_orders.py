"""A control takes one thing away from the curriculum and leaves the rest as it was."""

from __future__ import annotations

import itertools
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import Case, cases, counts
from numpy.typing import NDArray

from clpd_bench.curriculum.orders import ORDERS
from clpd_bench.curriculum.pacings import PACINGS
from clpd_bench.curriculum.stages import stage_of_step
from clpd_bench.curriculum.teachers import TEACHER_RULES
from clpd_bench.jobs.difficulty import DIFFICULTIES
from clpd_bench.settings.parts.difficulty import Difficulty
from clpd_bench.settings.parts.orders import Order
from clpd_bench.settings.parts.pacings import Pacing
from clpd_bench.settings.parts.teacher_rules import TeacherRule

PACED = ["easy_to_hard", "hard_to_easy", "random_stages", "shuffled_stages", "homogeneous"]
EXACT, DRAWN = ["blend", "partition"], ["cumulative", "mixed"]


@pytest.mark.parametrize(
    ("union", "functions"),
    [(Order, ORDERS), (TeacherRule, TEACHER_RULES), (Pacing, PACINGS), (Difficulty, DIFFICULTIES)],
    ids=["orders", "teacher rules", "pacings", "difficulties"],
)
def test_every_name_of_the_settings_has_its_function_and_no_other_has(
    union: object, functions: dict[str, object]
) -> None:
    members = get_args(get_args(union)[0])
    assert {get_args(m.model_fields["name"].annotation)[0] for m in members} == set(functions)


@pytest.mark.parametrize("order", PACED)
@settings(max_examples=25, deadline=None)
@given(cases(), st.sampled_from(EXACT))
def test_every_order_of_an_exact_pacing_shows_each_example_once_an_epoch(order: str, case: Case, pacing: str) -> None:
    shown = case.schedule(case.supervision(order, pacing=pacing))
    assert counts(shown.examples, len(case.ids)) == [case.epochs] * len(case.ids)
    assert sorted(set(shown.step.tolist())) == list(range(1, case.steps + 1))


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(PACED), st.sampled_from(EXACT + DRAWN))
def test_permuted_shows_the_multiset_of_its_arm_in_as_many_steps_and_tokens(
    case: Case, order: str, pacing: str
) -> None:
    other = case.supervision(order, pacing=pacing)
    theirs, mine = case.schedule(other), case.schedule(case.permuted(other))
    assert counts(mine.examples, len(case.ids)) == counts(theirs.examples, len(case.ids))
    assert mine.steps == theirs.steps == case.steps
    assert case.tokens[mine.examples].sum() == case.tokens[theirs.examples].sum()


def long_case(**changes: int) -> Case:
    """60 examples of like length, a hundredth of whose orders nobody draws twice."""
    n = 60
    values = {"stages": 3, "teachers": 3, "epochs": 6, "steps": 36, "seed": 0, **changes}
    return Case(
        np.array([f"{i:03d}" for i in range(n)]),
        np.full(n, 5),
        np.arange(n, dtype=float),
        values["stages"],
        values["teachers"],
        0.6,
        0.3,
        values["epochs"],
        values["steps"],
        values["seed"],
    )


def test_permuted_keeps_nothing_of_the_order_of_its_arm() -> None:
    case = long_case(seed=3)
    shown = case.schedule(case.permuted(case.supervision("easy_to_hard", pacing="partition"))).examples
    place = np.arange(len(shown))
    assert abs(np.corrcoef(place, case.difficulty[shown])[0, 1]) < 0.15


def test_permuting_twice_is_not_by_the_same_draws() -> None:
    case = long_case(epochs=1, steps=6)
    ordered = case.supervision("easy_to_hard")
    once = case.permuted(ordered)
    shown = [case.schedule(one).examples for one in (ordered, once, case.permuted(once))]
    # Where each presentation came from: every example is shown once.
    first, second = (np.argsort(before)[after].tolist() for before, after in itertools.pairwise(shown))
    assert first != second


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(EXACT + DRAWN))
def test_homogeneous_keeps_every_batch_and_moves_it_whole(case: Case, pacing: str) -> None:
    ordered = case.schedule(case.supervision("easy_to_hard", pacing=pacing))
    moved = case.schedule(case.supervision("homogeneous", pacing=pacing))
    batches = [sorted(examples.tolist() for _, examples, _ in one.batches()) for one in (ordered, moved)]
    assert batches[0] == batches[1]
    assert (np.diff(moved.step) >= 0).all()


def test_homogeneous_runs_through_its_batches_in_another_order() -> None:
    case = long_case()
    easy, moved = (case.schedule(case.supervision(o, pacing="partition")) for o in ("easy_to_hard", "homogeneous"))
    level = [[float(case.difficulty[e].mean()) for _, e, _ in one.batches()] for one in (easy, moved)]
    assert np.corrcoef(np.arange(36), level[0])[0, 1] > 0.9
    assert abs(np.corrcoef(np.arange(36), level[1])[0, 1]) < 0.4


def _stage_buckets(case: Case, order: str) -> list[NDArray[np.int64]]:
    """Buckets shown in each stage under `partition`, cut where presentations of a bucket end."""
    shown = case.buckets[case.schedule(case.supervision(order, pacing="partition")).examples]
    return np.split(shown, np.flatnonzero(np.diff(shown)) + 1)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_stages_show_the_real_buckets_one_after_the_other(case: Case) -> None:
    for order in ("easy_to_hard", "hard_to_easy", "shuffled_stages"):
        runs = _stage_buckets(case, order)
        turns = [int(run[0]) for run in runs]
        assert sorted(turns) == list(range(1, case.stages + 1))
        if order != "shuffled_stages":
            assert turns == sorted(turns, reverse=order == "hard_to_easy")


def test_shuffled_stages_take_every_order_over_seeds() -> None:
    found = {tuple(int(run[0]) for run in _stage_buckets(long_case(seed=s), "shuffled_stages")) for s in range(60)}
    assert len(found) == 6


def test_random_stages_know_nothing_of_difficulty() -> None:
    case = long_case()
    supervision = case.supervision("random_stages", pacing="partition")
    blind = Case(**{**vars(case), "difficulty": np.zeros(len(case.ids))})
    assert case.schedule(supervision).examples.tolist() == blind.schedule(supervision).examples.tolist()
    assert abs(np.corrcoef(np.arange(360), case.difficulty[case.schedule(supervision).examples])[0, 1]) < 0.3


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from(PACED), st.sampled_from(DRAWN))
def test_drawn_pacings_match_tokens_within_one_example(case: Case, order: str, pacing: str) -> None:
    shown = case.schedule(case.supervision(order, pacing=pacing))
    assert 0 <= int(case.tokens[shown.examples].sum()) - case.total < case.tokens.max()
    assert shown.steps == case.steps


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from(DRAWN))
def test_every_stage_of_a_drawn_pacing_ends_within_one_example_of_its_border(case: Case, pacing: str) -> None:
    """And none shows a bucket before its stage has come."""
    shown = case.schedule(case.supervision("easy_to_hard", pacing=pacing)).examples
    reached = np.cumsum(case.tokens[shown])
    # Of a few examples, chance may draw none of a bucket.
    for bucket in sorted(set(case.buckets[shown].tolist()) - {1}):
        first = int(np.flatnonzero(case.buckets[shown] == bucket)[0])
        assert reached[first] - case.tokens[shown[first]] >= (bucket - 1) * case.total / case.stages - 1e-6


def test_cumulative_shows_easy_middle_and_hard_61_28_and_11_percent() -> None:
    """(1 + 1/2 + 1/3) / 3, (1/2 + 1/3) / 3 and (1/3) / 3."""
    case = long_case()
    shown = case.schedule(case.supervision("easy_to_hard", pacing="cumulative")).examples
    shares = np.bincount(case.buckets[shown])[1:] / len(shown)
    assert shares.tolist() == pytest.approx([11 / 18, 5 / 18, 2 / 18], abs=1e-12)


@pytest.mark.parametrize("replay", [0.1, 0.3, 0.5])
def test_mixed_replays_the_stated_share_in_every_stage_but_the_first(replay: float) -> None:
    case = Case(**{**vars(long_case()), "replay": replay})
    shown = case.schedule(case.supervision("easy_to_hard", pacing="mixed"))
    stage = stage_of_step(case.steps, 3)[shown.step - 1]
    for k, wanted in ((1, 0.0), (2, replay), (3, replay)):
        assert (case.buckets[shown.examples[stage == k]] < k).mean() == pytest.approx(wanted, abs=1e-12)
    assert set(case.buckets[shown.examples[stage == 3]].tolist()) == {1, 2, 3}


@settings(max_examples=30, deadline=None)
@given(cases(), st.sampled_from(PACED), st.sampled_from(EXACT + DRAWN))
def test_a_controls_schedule_is_a_function_of_its_seed(case: Case, order: str, pacing: str) -> None:
    for one in (case.supervision(order, "random", pacing), case.permuted(case.supervision(order, pacing=pacing))):
        assert case.schedule(one).consumed_hash() == case.schedule(one).consumed_hash()


@pytest.mark.parametrize("order", [*PACED, "permuted"])
def test_another_seed_is_another_order_of_a_control(order: str) -> None:
    case = long_case()
    ordered = case.supervision("easy_to_hard")
    one = case.permuted(ordered) if order == "permuted" else case.supervision(order)
    assert len({case.schedule(one, seed).consumed_hash() for seed in range(6)}) == 6
