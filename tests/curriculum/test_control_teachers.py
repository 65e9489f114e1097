"""Rules that give the teachers other times, or other examples, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import KL, Case, cases, counts

from clpd_bench.curriculum import Schedule
from clpd_bench.curriculum.stages import teacher_of_stage
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.teacher_rules import ByDifficulty
from clpd_bench.settings.specs import Supervision


def pairs(schedule: Schedule) -> list[tuple[int, int]]:
    return sorted(zip(schedule.examples.tolist(), schedule.teacher.tolist(), strict=True))


def by_difficulty(case: Case, of: Supervision, order: Supervision) -> Supervision:
    rule = ByDifficulty(name="by_difficulty", of="")
    return order.model_copy(update={"rule": rule, "teachers_of": of, "teachers": of.teachers})


@settings(max_examples=50, deadline=None)
@given(cases(), st.sampled_from(["blend", "partition"]), st.sampled_from([None, "strong_to_weak", "last_teacher"]))
def test_by_difficulty_has_the_pairs_of_its_arm_in_the_batches_of_its_own_order(
    case: Case, pacing: str, rule: str | None
) -> None:
    other = case.supervision("easy_to_hard", rule or "weak_to_strong", pacing)
    plain = Supervision(loss=KL, order=Shuffled(name="shuffled"), teachers=1)
    mine, theirs = case.schedule(by_difficulty(case, other, plain)), case.schedule(other)
    assert pairs(mine) == pairs(theirs)
    standard = case.schedule(plain)
    assert (mine.examples.tolist(), mine.step.tolist()) == (standard.examples.tolist(), standard.step.tolist())


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(["cumulative", "mixed"]))
def test_by_difficulty_over_permuted_presentations_has_the_pairs_of_a_drawn_arm(case: Case, pacing: str) -> None:
    other = case.supervision("easy_to_hard", "weak_to_strong", pacing)
    ordered = case.supervision("easy_to_hard", pacing=pacing)
    mine = case.schedule(by_difficulty(case, other, case.permuted(ordered)))
    assert pairs(mine) == pairs(case.schedule(other))


def test_by_difficulty_refuses_an_order_of_other_presentations() -> None:
    case = Case(np.array(["a", "b", "c", "d"]), np.full(4, 5), np.arange(4.0), 2, 2, 0.5, 0.5, 2, 4, 0)
    other = case.supervision("easy_to_hard", "weak_to_strong", "cumulative")
    with pytest.raises(AssertionError, match="not the same presentations"):
        case.schedule(by_difficulty(case, other, case.supervision("shuffled")))


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(["shuffled", "easy_to_hard"]))
def test_random_teachers_are_those_of_weak_to_strong_at_other_times(case: Case, order: str) -> None:
    mine, theirs = (case.schedule(case.supervision(order, rule)) for rule in ("random", "weak_to_strong"))
    assert counts(mine.teacher, 5) == counts(theirs.teacher, 5)
    assert mine.examples.tolist() == theirs.examples.tolist()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_a_rule_moves_no_example(case: Case) -> None:
    rules = ["weak_to_strong", "strong_to_weak", "random", "anti_aligned", "last_teacher"]
    for order in ("shuffled", "easy_to_hard", "homogeneous"):
        shown = [case.schedule(case.supervision(order, rule)) for rule in rules]
        assert len({tuple(one.examples.tolist()) for one in shown}) == 1
        assert len({tuple(one.step.tolist()) for one in shown}) == 1


@settings(max_examples=40, deadline=None)
@given(cases())
def test_strong_to_weak_gives_each_teacher_as_many_stages_as_weak_to_strong(case: Case) -> None:
    shown = case.schedule(case.supervision("shuffled", "strong_to_weak"))
    assert (np.diff(shown.teacher) <= 0).all()
    seated = [teacher_of_stage(k, case.teachers, case.stages) for k in range(1, case.stages + 1)]
    of_step = dict(zip(shown.step.tolist(), shown.teacher.tolist(), strict=True))
    expected = {s: seated[::-1][k - 1] for s, k in enumerate(shown.stage.tolist(), start=1)}
    assert of_step == expected


def test_three_stages_of_two_teachers_are_turned_round_in_time() -> None:
    """weak_to_strong is 1 2 2; turned round, 2 2 1: the strong one keeps two stages."""
    case = Case(np.array(list("abcdef")), np.full(6, 5), np.arange(6.0), 3, 2, 0.5, 0.5, 1, 3, 0)
    shown = [case.schedule(case.supervision("shuffled", r)).teacher for r in ("weak_to_strong", "strong_to_weak")]
    assert [one[::2].tolist() for one in shown] == [[1, 2, 2], [2, 2, 1]]


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(["shuffled", "easy_to_hard", "homogeneous"]))
def test_anti_aligned_follows_the_example_and_never_the_time(case: Case, order: str) -> None:
    """The easiest bucket has the strongest teacher, the hardest the weakest, at every step."""
    shown = case.schedule(case.supervision(order, "anti_aligned"))
    bucket = case.buckets[shown.examples]
    of_bucket = dict(zip(bucket.tolist(), shown.teacher.tolist(), strict=True))
    assert [of_bucket[b] for b in bucket.tolist()] == shown.teacher.tolist()
    assert (of_bucket[1], of_bucket[case.stages]) == (case.teachers, 1)
    assert [of_bucket[b] for b in sorted(of_bucket)] == sorted(of_bucket.values(), reverse=True)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_last_teacher_is_nobody_until_the_last_stage(case: Case) -> None:
    one = case.supervision("shuffled", "last_teacher").model_copy(update={"teachers": 1})
    shown = case.schedule(one)
    last = shown.stage[shown.step - 1] == case.stages
    assert shown.teacher.tolist() == last.astype(int).tolist()
