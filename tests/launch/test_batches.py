"""Batches and arrays of any plan: nothing twice, nothing missing, nothing before what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm import batches as of_batches
from clpd_bench.launch.slurm.batches import Batch, Limits, arrays, batches, fitted
from clpd_bench.launch.slurm.queue import Task
from clpd_bench.launch.slurm.records import Queued
from clpd_bench.launch.slurm.site import Profile, Site, Use
from clpd_bench.launch.slurm.submit import Prepared, dependency, prepare
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.parts.difficulty import Column
from clpd_bench.settings.specs import DifficultySpec
from clpd_bench.store import Store

TINY = Path(__file__).parent / "tiny.yaml"
FULL = 100.0


def graph(parents: list[list[int]]) -> Plan:
    spec = DifficultySpec(difficulty=Column(name="column", column="any"))
    jobs = {
        f"k{i}": Job(f"k{i}", "difficulty", f"job {i}", spec, {str(p): f"k{p}" for p in above})
        for i, above in enumerate(parents)
    }
    return Plan("graph", "graph.yaml", jobs, [], [], {}, {}, {})


@st.composite
def problems(draw: st.DrawFn):
    n = draw(st.integers(1, 25))
    parents = [sorted(draw(st.sets(st.integers(0, i - 1), max_size=3))) if i else [] for i in range(n)]
    state = [draw(st.sampled_from(("todo", "todo", "todo", "alive", "done"))) for _ in range(n)]
    profile = {f"k{i}": draw(st.sampled_from("ab")) for i in range(n)}
    seconds = {f"k{i}": draw(st.sampled_from((None, 5.0, 30.0, 60.0, 300.0))) for i in range(n)}
    keys = {what: {f"k{i}" for i in range(n) if state[i] == what} for what in ("todo", "alive")}
    return graph(parents), keys["todo"], keys["alive"], profile, seconds, draw(st.integers(1, 4))


@given(problems())
@settings(max_examples=100, deadline=None)
def test_batches_hold_each_job_once_after_all_that_it_needs(problem):
    plan, todo, alive, profile, seconds, unknown = problem
    made = batches(plan, todo, alive, profile.__getitem__, seconds.__getitem__, lambda name: FULL, unknown)
    held = [key for batch in made for key in batch.keys]
    assert sorted(held) == sorted(todo)
    number = {key: i for i, batch in enumerate(made) for key in batch.keys}
    for i, batch in enumerate(made):
        assert {profile[key] for key in batch.keys} == {batch.profile}
        for place, key in enumerate(batch.keys):
            for parent in plan.jobs[key].parents.values():
                if parent in todo:
                    assert parent in batch.keys[:place] or number[parent] in batch.after
                    assert number[parent] <= i
                if parent in alive:
                    assert parent in batch.outside
        known = [seconds[key] for key in batch.keys]
        assert batch.seconds == (None if None in known else pytest.approx(sum(known)))
        if len(batch.keys) > 1:
            filled = sum(FULL / unknown if value is None else value for value in known)
            assert filled <= FULL * (1 + 1e-6)


@given(problems(), st.integers(1, 5), st.booleans())
@settings(max_examples=100, deadline=None)
def test_arrays_are_submitted_after_those_that_they_wait_for(problem, most, many):
    plan, todo, alive, profile, seconds, unknown = problem
    made = batches(plan, todo, alive, profile.__getitem__, seconds.__getitem__, lambda name: FULL, unknown)
    before = of_batches.SUBMISSIONS
    batches.SUBMISSIONS = 0 if many else before
    try:
        groups = arrays(made, most)
    finally:
        of_batches.SUBMISSIONS = before
    assert sorted(number for group in groups for number in group) == list(range(len(made)))
    place = {number: (a, i) for a, group in enumerate(groups) for i, number in enumerate(group)}
    prepared = Prepared(made, groups, {key: f"9{key[1:]}" for key in alive})
    for a, group in enumerate(groups):
        assert len(group) <= most
        assert len({made[number].profile for number in group}) == 1
        assert all(place[other][0] < a for number in group for other in made[number].after)
        told = dependency(group, prepared, place, [str(100 + i) for i in range(a)])
        ids = set((told or "afterany:").removeprefix("afterany:").split(":")) - {""}
        for number in group:
            for other in made[number].after:
                array, index = place[other]
                assert ids & {str(100 + array), f"{100 + array}_{index}"}
            assert {f"9{key[1:]}" for key in made[number].outside} <= ids


def site(**profile: object) -> Site:
    return Site(profiles={"p": Profile(**{"time": 60, **profile})}, use=Use(default="p"), batch_minutes=10)


def chain(costs: list[float | None]) -> Plan:
    return graph([[] for _ in costs])


@pytest.mark.parametrize(
    ("costs", "room", "expected"),
    [
        ([60.0] * 40, None, 4),  # ten minutes fill a batch
        ([60.0] * 40, 2, 2),  # twenty, where two are allowed
        ([60.0] * 40, 1, 1),
        ([None] * 40, None, 40),
        ([None] * 40, 11, 10),  # four of unknown length together: those ten minutes grew to forty
    ],
)
def test_batches_grow_until_they_fit_what_slurm_takes(costs, room, expected):
    plan = chain(costs)

    def make(full, unknown):
        return batches(plan, set(plan.jobs), set(), lambda key: "p", lambda key: costs[int(key[1:])], full, unknown)

    assert len(fitted(site(), Limits(1001, room, "a test", 0), make)) == expected


def test_no_room_is_refused_with_what_to_set():
    plan = chain([3000.0] * 3)

    def make(full, unknown):
        return batches(plan, set(plan.jobs), set(), lambda key: "p", lambda key: 3000.0, full, unknown)

    with pytest.raises(UserError, match="room for 2: 5 may be there at a time") as error:
        fitted(site(), Limits(1001, 5, "the site file", 3), make)
    assert "raise time" in str(error.value)


def test_a_student_and_its_evaluations_are_one_batch_where_they_share_a_profile(tmp_path):
    plan = build_plan(load_ablation(TINY), TINY)
    prepared = prepare(plan, site(), Limits(1001, None, "", 0), Store(tmp_path), [])
    of = {key: batch for batch in prepared.batches for key in batch.keys}
    for cell in plan.cells:
        assert {of[key] for key in cell.evaluations.values()} == {of[cell.model]}
    # What targets wait for does not wait for the teacher's own evaluation.
    for name, key in ((name, key) for key, names in plan.models.items() for name in names):
        assert all(plan.jobs[other].kind == "model" for other in of[key].keys), name
    few = prepare(plan, site(), Limits(1001, None, "", 0), Store(tmp_path), []).arrays
    assert len(few) <= 8


def test_rules_for_models_go_before_rules_for_kinds(tmp_path):
    plan = build_plan(load_ablation(TINY), TINY)
    profiles = {name: Profile(time=60) for name in ("small", "big", "cpu")}
    use = Use(default="small", kinds={"evaluation": "cpu"}, models={"large": {"model": "big", "evaluation": "big"}})
    prepared = prepare(plan, Site(profiles=profiles, use=use), Limits(9, None, "", 0), Store(tmp_path), [])
    found = {plan.jobs[key].label: batch.profile for batch in prepared.batches for key in batch.keys}
    assert found["model large"] == "big"
    assert found["targets of large on sums"] == "small"
    assert found["evaluation teacher large on sums"] == "big"
    assert found["evaluation teacher small on sums"] == "cpu"
    assert found["student clpd/0"] == "small"
    assert found["evaluation clpd/0 on sums"] == "cpu"


def queued(key: str, state: str) -> Queued:
    return Queued(Task("77_0", "78", state, "", "clpd:x/0"), "x", 0, (key,))


def test_what_another_launch_is_at_is_waited_for_and_not_submitted_again(tmp_path):
    plan = build_plan(load_ablation(TINY), TINY)
    large = next(key for key, names in plan.models.items() if names == ["large"])
    prepared = prepare(plan, site(), Limits(1001, None, "", 0), Store(tmp_path), [queued(large, "PENDING")])
    of = {key: batch for batch in prepared.batches for key in batch.keys}
    assert large not in of
    waiting = [plan.jobs[key].label for key, batch in of.items() if large in batch.outside]
    assert "targets of large on sums" in waiting
    assert prepared.slurm_ids == {large: "77_0"}


def test_what_is_leaving_the_queue_is_submitted_again_after_it_has_left(tmp_path):
    plan = build_plan(load_ablation(TINY), TINY)
    large = next(key for key, names in plan.models.items() if names == ["large"])
    prepared = prepare(plan, site(), Limits(1001, None, "", 0), Store(tmp_path), [queued(large, "COMPLETING")])
    batch = next(batch for batch in prepared.batches if large in batch.keys)
    assert large in batch.outside


def test_what_needs_a_failed_job_is_held_and_the_rest_is_submitted(tmp_path):
    plan, store = build_plan(load_ablation(TINY), TINY), Store(tmp_path)
    large = next(key for key, names in plan.models.items() if names == ["large"])
    attempt = store.claim(large)
    assert attempt
    with attempt:
        attempt.fail(ValueError("no"))
    prepared = prepare(plan, site(), Limits(1001, None, "", 0), store, [])
    submitted = {key for batch in prepared.batches for key in batch.keys}
    assert prepared.failed == [large]
    assert set(prepared.held) == plan.descendants(large) - {large}
    assert submitted.isdisjoint({large, *prepared.held})
    sft = next(cell.model for cell in plan.cells if cell.name == "sft")
    assert sft in submitted
    store.retry(large)
    again = prepare(plan, site(), Limits(1001, None, "", 0), store, [])
    assert {key for batch in again.batches for key in batch.keys} == submitted | {large, *prepared.held}


def test_a_thousand_evaluations_of_another_profile_are_few_submissions():
    parents = [[] for _ in range(300)] + [[i] for i in range(300)]
    plan = graph(parents)
    made: list[Batch] = batches(
        plan, set(plan.jobs), set(), lambda key: "a" if int(key[1:]) < 300 else "b", lambda key: None, lambda name: FULL
    )
    assert len(made) == 600
    assert len(arrays(made, 1001)) == 2


def test_what_nothing_is_known_of_fits_any_room_though_batches_are_as_long_as_their_time():
    plan = chain([None] * 40)
    short = site(time=10)

    def make(full, unknown):
        return batches(plan, set(plan.jobs), set(), lambda key: "p", lambda key: None, full, unknown)

    assert len(fitted(short, Limits(1001, 9, "a test", 0), make)) <= 9
