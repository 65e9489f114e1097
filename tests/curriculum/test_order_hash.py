"""The running hash of what was consumed: anything that moves changes it, an interruption does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clpd_bench.curriculum import ConsumedHash, Schedule, Streams, build_schedule
from clpd_bench.settings.parts.loss import ForwardKl
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision

N, STEPS = 24, 8


@pytest.fixture
def schedule() -> Schedule:
    return made()


def made() -> Schedule:
    supervision = Supervision(loss=ForwardKl(name="forward_kl"), order=Shuffled(name="shuffled"), stages=2, teachers=2)
    ids = np.array([f"{i:02d}" for i in range(N)])
    return build_schedule(ids, np.full(N, 4), None, supervision, Training(steps=STEPS, learning_rate=0.1), Streams(5))


def test_hash_changes_when_an_id_does(schedule: Schedule) -> None:
    ids = schedule.ids.copy()
    ids[3] = "x"
    assert dataclasses.replace(schedule, ids=ids).consumed_hash() != schedule.consumed_hash()


def test_hash_changes_when_two_examples_of_one_step_change_places(schedule: Schedule) -> None:
    examples = schedule.examples.copy()
    examples[[0, 1]] = examples[[1, 0]]
    assert schedule.step[0] == schedule.step[1]
    assert dataclasses.replace(schedule, examples=examples).consumed_hash() != schedule.consumed_hash()


def test_hash_changes_when_a_presentation_moves_to_the_next_step(schedule: Schedule) -> None:
    step = schedule.step.copy()
    last = int(np.flatnonzero(step == 1)[-1])
    step[last] = 2
    assert dataclasses.replace(schedule, step=step).consumed_hash() != schedule.consumed_hash()


def test_hash_changes_when_one_presentation_has_another_teacher(schedule: Schedule) -> None:
    teacher = schedule.teacher.copy()
    teacher[0] = 3 - teacher[0]
    assert dataclasses.replace(schedule, teacher=teacher).consumed_hash() != schedule.consumed_hash()


def test_hash_changes_when_a_step_has_another_number() -> None:
    one, other = ConsumedHash(), ConsumedHash()
    one.update(1, np.array(["a"]), np.array([1]))
    other.update(2, np.array(["a"]), np.array([1]))
    assert one.state != other.state


def test_ids_that_run_into_each_other_are_kept_apart() -> None:
    one, other = ConsumedHash(), ConsumedHash()
    one.update(1, np.array(["ab", "c"]), np.array([1, 1]))
    other.update(1, np.array(["a", "bc"]), np.array([1, 1]))
    assert one.state != other.state


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, STEPS), max_size=3))
def test_hash_of_an_interrupted_run_is_that_of_an_unbroken_one(stops: list[int]) -> None:
    schedule = made()
    state, done = ConsumedHash().state, 0
    for stop in [*sorted(stops), STEPS]:
        running = ConsumedHash(state)  # a new process: all it knows is the state
        for step in range(done + 1, stop + 1):
            examples, teachers = schedule.at(step)
            running.update(step, schedule.ids[examples], teachers)
        state, done = running.state, max(done, stop)
    assert state == schedule.consumed_hash()


def test_hash_after_some_steps_is_the_one_a_run_holds_there(schedule: Schedule) -> None:
    running = ConsumedHash()
    for step, examples, teachers in schedule.batches():
        assert schedule.consumed_hash(step - 1) == running.state
        running.update(step, schedule.ids[examples], teachers)
    assert schedule.consumed_hash(STEPS) == running.state == schedule.consumed_hash()


def test_drawing_from_one_stream_never_moves_another() -> None:
    streams = Streams(3)
    alone = streams.generator("order").integers(0, 1000, size=20).tolist()
    streams.generator("dropout").integers(0, 1000, size=7)
    assert streams.generator("order").integers(0, 1000, size=20).tolist() == alone
    drawn = {
        Streams(s, owner).seed_of(purpose)
        for s in range(20)
        for owner in ("student", "other")
        for purpose in ("init", "order", "dropout")
    }
    assert len(drawn) == 120
    assert Streams(1).seed_of("order", 1) != Streams(11).seed_of("order")
