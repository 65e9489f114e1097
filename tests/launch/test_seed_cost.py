"""One more seed costs the jobs that it brings, as finished jobs like them took."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clpd_bench.costs.hours import SeedCost, seed_cost, seed_keys
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
TOOK = {"student": 20.0, "initial": 3.0, "evaluation": 5.0}


def planned(folder: Path, *sets: str) -> Plan:
    file = Path(shutil.copy(SMALL, folder / "small.yaml"))
    return build_plan(load_ablation(file, list(sets)), file)


def finish(plan: Plan, store: Store, jobs: list[Job], device: str = "H100") -> None:
    for job in jobs:
        attempt = store.claim(job.key)
        assert attempt
        with attempt:
            attempt.out.mkdir(exist_ok=True)
            seconds = TOOK.get(job.label.split()[0], 1000.0)
            attempt.publish({"kind": job.kind, "label": job.label, "seconds": seconds, "device": device})


GRID = "axes={curriculum.pacing.strength: [0, 1]}"
TRAINED = "student.initial=small"


@pytest.mark.parametrize("sets", [(), (GRID,), (TRAINED,)], ids=["fresh weights", "grid", "trained start"])
def test_a_seeds_jobs_are_those_that_it_adds_to_a_plan(sets: tuple[str, ...], tmp_path: Path) -> None:
    before = planned(tmp_path, "seeds=[0, 1]", *sets)
    after = planned(tmp_path, "seeds=[0, 1, 7]", *sets)
    assert seed_keys(after, 7) == set(after.jobs) - set(before.jobs)


def test_nothing_is_known_until_something_like_each_job_has_finished(tmp_path: Path) -> None:
    plan, store = planned(tmp_path, "seeds=[0, 1]"), Store(tmp_path / "store")
    assert seed_cost(plan, store) is None
    students = [job for job in plan.jobs.values() if job.label.startswith("student")]
    finish(plan, store, students)
    assert seed_cost(plan, store) is None  # an evaluation's length is not known


def test_it_is_the_sum_over_arms_of_student_and_evaluations_and_the_seeds_own_start(tmp_path: Path) -> None:
    plan, store = planned(tmp_path, "seeds=[0, 1]"), Store(tmp_path / "store")
    finish(plan, store, [plan.jobs[key] for key in seed_keys(plan, 0)])
    benchmarks, arms = len(plan.cells[0].evaluations), len(plan.cells) // 2
    expected = arms * TOOK["student"] + TOOK["initial"] + (arms + 1) * benchmarks * TOOK["evaluation"]
    assert seed_cost(plan, store) == SeedCost(expected, "gpu")


@pytest.mark.parametrize(("devices", "said"), [(["cpu (x86_64)"] * 2, "cpu"), (["cpu (x86_64)", "H100"], "mixed")])
def test_it_says_what_the_hours_are_of(devices: list[str], said: str, tmp_path: Path) -> None:
    plan, store = planned(tmp_path, "seeds=[0, 1]"), Store(tmp_path / "store")
    for seed, device in enumerate(devices):
        finish(plan, store, [plan.jobs[key] for key in seed_keys(plan, seed)], device)
    found = seed_cost(plan, store)
    assert found
    assert found.device == said
