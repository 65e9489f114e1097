"""Order is all that a curriculum changes: what is shown, how often, in how many steps stays the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clpd_bench.curriculum import Schedule, Streams, build_schedule, difficulty_buckets
from clpd_bench.curriculum.buckets import require_order
from clpd_bench.curriculum.exposure import exposure
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.parts.orders import EasyToHard, Shuffled
from clpd_bench.settings.parts.pacings import Blend
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision

SHUFFLED, EASY_TO_HARD = Shuffled(name="shuffled"), EasyToHard(name="easy_to_hard")


@dataclass(frozen=True)
class Case:
    ids: NDArray[np.str_]
    tokens: NDArray[np.int64]
    difficulty: NDArray[np.float64]
    stages: int
    teachers: int
    strength: float
    epochs: int
    steps: int
    seed: int

    def training(self) -> Training:
        return Training(epochs=self.epochs, steps=self.steps, learning_rate=0.1)

    def schedule(self, ordered: bool, by_stage: bool, seed: int | None = None) -> Schedule:
        supervision = Supervision(
            loss=ForwardKl(name="forward_kl"),
            order=EASY_TO_HARD if ordered else SHUFFLED,
            stages=self.stages if ordered or by_stage else None,
            pacing=Blend(name="blend", strength=self.strength) if ordered else None,
            teachers=self.teachers if by_stage else 1,
        )
        chosen = self.seed if seed is None else seed
        return build_schedule(self.ids, self.tokens, self.difficulty, supervision, self.training(), Streams(chosen))

    def arms(self) -> list[Schedule]:
        return [self.schedule(ordered, by_stage) for ordered in (False, True) for by_stage in (False, True)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n = draw(st.integers(4, 40))
    stages = draw(st.integers(1, 5))
    tokens = np.array(draw(st.lists(st.integers(2, 30), min_size=n, max_size=n)), dtype=np.int64)
    difficulty = np.array(draw(st.lists(st.integers(0, 6), min_size=n, max_size=n)), dtype=np.float64)
    ids = np.array([f"{i:03d}" for i in range(n)])
    strength = draw(st.sampled_from([0.0, 1.0, 0.5]) | st.floats(0, 1))
    epochs = draw(st.integers(1, 4))
    steps = draw(st.integers(1, max(1, int(tokens.sum()) * epochs // 30)))
    case = Case(
        ids,
        tokens,
        difficulty,
        stages,
        draw(st.integers(1, stages)),
        strength,
        epochs,
        steps,
        draw(st.integers(0, 9)),
    )
    try:
        require_order(difficulty, stages)
        difficulty_buckets(ids, difficulty, tokens, stages)
    except UserError:
        assume(False)
    return case


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_arm_shows_each_example_as_often_as_there_are_epochs(case: Case) -> None:
    for arm in case.arms():
        assert np.bincount(arm.examples, minlength=len(case.ids)).tolist() == [case.epochs] * len(case.ids)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_arm_has_the_same_steps_and_tokens(case: Case) -> None:
    total = int(case.tokens.sum()) * case.epochs
    for arm in case.arms():
        assert arm.steps == case.steps
        assert sorted(set(arm.step.tolist())) == list(range(1, case.steps + 1))
        shown = exposure(arm, np.ones_like(case.tokens), None, case.tokens, case.tokens, case.training(), case.stages)
        assert (shown.steps, shown.tokens) == (case.steps, total)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_step_is_within_one_example_of_its_share_of_tokens(case: Case) -> None:
    share = case.tokens.sum() * case.epochs / case.steps
    for arm in case.arms():
        in_step = np.bincount(arm.step, weights=case.tokens[arm.examples], minlength=case.steps + 1)[1:]
        assert np.abs(in_step - share).max() < case.tokens.max()
        for s in range(1, case.steps + 1):  # and so is every beginning of the run: nothing adds up
            assert abs(in_step[:s].sum() - s * share) < case.tokens.max()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_no_presentation_overtakes_another_of_an_earlier_step(case: Case) -> None:
    for arm in case.arms():
        assert (np.diff(arm.step) >= 0).all()
        batches = list(arm.batches())
        assert np.concatenate([examples for _, examples, _ in batches]).tolist() == arm.examples.tolist()
        assert [step for step, _, _ in batches] == list(range(1, case.steps + 1))


@settings(max_examples=40, deadline=None)
@given(cases())
def test_a_schedule_is_a_function_of_its_seed(case: Case) -> None:
    for ordered in (False, True):
        first, again = case.schedule(ordered, True), case.schedule(ordered, True)
        assert first.consumed_hash() == again.consumed_hash()


def test_another_seed_is_another_order() -> None:
    n = 50
    case = Case(np.array([f"{i:03d}" for i in range(n)]), np.full(n, 5), np.arange(n, dtype=float), 2, 2, 0.5, 1, 10, 0)
    for ordered in (False, True):
        orders = {case.schedule(ordered, True, seed).consumed_hash() for seed in range(8)}
        assert len(orders) == 8


@settings(max_examples=40, deadline=None)
@given(cases())
def test_sft_and_standard_kd_of_one_seed_have_the_very_same_batches(case: Case) -> None:
    kd = case.schedule(ordered=False, by_stage=False)
    plain = Supervision(loss=CrossEntropy(name="cross_entropy"), order=SHUFFLED)
    sft = build_schedule(case.ids, case.tokens, None, plain, case.training(), Streams(case.seed))
    for (step, mine, none), (other, theirs, strongest) in zip(sft.batches(), kd.batches(), strict=True):
        assert (step, mine.tolist()) == (other, theirs.tolist())
        assert set(none.tolist()) == {0}
        assert set(strongest.tolist()) == {1}


@settings(max_examples=40, deadline=None)
@given(cases())
def test_teacher_scheduling_moves_no_example(case: Case) -> None:
    for ordered in (False, True):
        one, many = case.schedule(ordered, by_stage=False), case.schedule(ordered, by_stage=True)
        assert one.examples.tolist() == many.examples.tolist()
        assert one.step.tolist() == many.step.tolist()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_counts_of_an_exposure_are_those_of_a_walk_through_the_batches(case: Case) -> None:
    arm = case.schedule(ordered=True, by_stage=True)
    buckets = difficulty_buckets(case.ids, case.difficulty, case.tokens, case.stages)
    responses = case.tokens // 2 + 1
    walked: dict[tuple[int, int, int], list[int]] = {}
    for step, examples, teachers in arm.batches():
        for example, teacher in zip(examples, teachers, strict=True):
            place = walked.setdefault((int(buckets[example]), int(arm.stage[step - 1]), int(teacher)), [0, 0])
            place[0] += 1
            place[1] += int(responses[example])
    shown = exposure(arm, buckets, case.difficulty, case.tokens, responses, case.training(), case.stages)
    assert shown.presentations == {place: n for place, (n, _) in walked.items()}
    assert shown.response_tokens == {place: n for place, (_, n) in walked.items()}


@pytest.mark.parametrize("epochs", [1, 3])
def test_steps_follow_from_the_budget_rounded_up(epochs: int) -> None:
    n, tokens = 7, 11
    training = Training(epochs=epochs, tokens_per_step=20, learning_rate=0.1)
    ids = np.array([f"{i}" for i in range(n)])
    schedule = build_schedule(ids, np.full(n, tokens), None, Supervision(order=SHUFFLED), training, Streams(0))
    total = n * tokens * epochs
    assert schedule.steps == next(s for s in range(1, total) if s * 20 >= total)


def test_an_empty_step_is_told_with_what_to_change() -> None:
    training = Training(steps=9, learning_rate=0.1)
    with pytest.raises(UserError, match=r"step \d of 9 would be empty.*Ask for fewer steps"):
        build_schedule(np.array(["a", "b"]), np.array([3, 4]), None, Supervision(order=SHUFFLED), training, Streams(0))
