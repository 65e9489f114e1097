"""Hours and fit on a site's profiles: whose word counts, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clpd_bench.costs import of_plan
from clpd_bench.costs.cost import PlanCost
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm import records
from clpd_bench.launch.slurm.batches import Batch
from clpd_bench.launch.slurm.preflight.checks import check_gpu_memory
from clpd_bench.launch.slurm.records import Launch
from clpd_bench.launch.slurm.site import Site
from clpd_bench.launch.slurm.submit import machines
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

SPEED = {"float32": 20, "bfloat16": 300}


def site(use: dict[str, Any] | None = None, **gpu: Any) -> Site:
    profile = {"partition": "gpu", "time": 60, "gpus": 1, "gpu_tflops": SPEED, **gpu}
    return Site.model_validate(
        {"profiles": {"gpu": profile, "big": {**profile, "gpu_memory": "500G"}}, "use": use or {"default": "gpu"}}
    )


def plan_cost(plan: Plan, store: Store, on: Site) -> PlanCost:
    return of_plan.plan_cost(plan, store, machines(on, plan, store))


def planned(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def labelled(plan: Plan, label: str) -> str:
    return next(key for key, job in plan.jobs.items() if job.label == label)


def finish(plan: Plan, store: Store, took: dict[str, float], profile: str | None) -> None:
    """Jobs by their labels, each done in so many seconds, and launched with a profile unless that is None."""
    keys = tuple(labelled(plan, label) for label in took)
    for key, seconds in zip(keys, took.values(), strict=True):
        attempt = store.claim(key)
        assert attempt
        with attempt:
            attempt.out.mkdir(exist_ok=True)
            attempt.publish({"kind": plan.jobs[key].kind, "seconds": seconds, "details": {}})
    if profile:
        launch = Launch.new(plan.name, Path(plan.file), Path("site.yaml"))
        made = [Batch(keys, profile, frozenset(), frozenset(), None)]
        records.write(store.root, launch, made, [[0]], {profile: 1.0})


def said(cost: PlanCost, plan: Plan, label: str) -> tuple[float, str]:
    seconds = cost.seconds[labelled(plan, label)]
    return seconds.value, seconds.by


def test_seconds_are_flops_by_the_profiles_speed(declared: Path, tmp_path: Path) -> None:
    plan, store = planned(declared), Store(tmp_path / "s")
    cost = plan_cost(plan, store, site(utilisation=0.5))
    flops = cost.jobs[labelled(plan, "student sft/0")].total
    assert flops
    assert said(cost, plan, "student sft/0") == (pytest.approx(flops / 150e12), "arithmetic")
    slow = plan_cost(plan, store, site(utilisation=0.5, tasks=2))  # two workers share a GPU
    assert said(slow, plan, "student sft/0")[0] == pytest.approx(flops / 75e12)
    assert slow.profiles["gpu"].gpu_seconds == pytest.approx(cost.profiles["gpu"].gpu_seconds, abs=10)


def test_a_finished_sibling_on_the_profile_rules(declared: Path, tmp_path: Path) -> None:
    plan, store = planned(declared), Store(tmp_path / "s")
    finish(plan, store, {"student sft/0": 1234.0}, "gpu")
    cost = plan_cost(plan, store, site())
    assert said(cost, plan, "student sft/0") == (1234.0, "done")
    assert said(cost, plan, "student sft/1") == (1234.0, "alike")


def test_others_of_its_kind_correct_the_arithmetic(declared: Path, tmp_path: Path) -> None:
    plan, store = planned(declared), Store(tmp_path / "s")
    before = plan_cost(plan, store, site())
    student, teacher = said(before, plan, "student sft/0")[0], said(before, plan, "model tuned")[0]
    evaluation = said(before, plan, "evaluation sft/0 on math")
    finish(plan, store, {"model tuned": 3 * teacher}, "gpu")
    after = plan_cost(plan, store, site())
    assert said(after, plan, "student sft/0") == (pytest.approx(3 * student), "corrected")
    assert said(after, plan, "evaluation sft/0 on math") == evaluation


@pytest.mark.parametrize("elsewhere", [None, "big"])
def test_what_ran_elsewhere_says_nothing_of_a_profile(elsewhere: str | None, declared: Path, tmp_path: Path) -> None:
    plan, store = planned(declared), Store(tmp_path / "s")
    before = plan_cost(plan, store, site())
    finish(plan, store, {"student sft/0": 1e6}, elsewhere)
    assert said(plan_cost(plan, store, site()), plan, "student sft/1") == said(before, plan, "student sft/1")


def test_without_a_speed_hours_are_not_known(declared: Path, tmp_path: Path) -> None:
    plan = planned(declared)
    cost = plan_cost(plan, Store(tmp_path / "s"), site(gpu_tflops={}))
    assert labelled(plan, "student sft/0") not in cost.seconds
    assert cost.profiles["gpu"].without > 0


def test_what_does_not_fit_is_told_with_its_sum_and_what_would_fit(declared: Path, tmp_path: Path) -> None:
    plan, store = planned(declared), Store(tmp_path / "s")
    cost = plan_cost(plan, store, site(gpu_memory="40G"))
    (refused,) = cost.too_large  # the teacher, 1.5 B; the student is small
    needed = cost.jobs[refused.key].peak
    assert needed
    assert refused.key == labelled(plan, "model tuned")
    assert "model tuned needs about activations 23.7 GB + AdamW's moments 12.3 GB + " in refused.why
    assert f"= {needed.bytes / 1e9:.4g} GB" in refused.why
    assert "a worker of profile gpu has 40 GB" in refused.why
    assert "activation_checkpointing: true (" in refused.fix
    assert " and " not in refused.fix  # one setting is enough
    assert "profile big for it" in refused.fix


def test_a_remedy_that_is_named_is_enough(declared: Path, tmp_path: Path) -> None:
    remedy = "models.tuned.training.activation_checkpointing=true"
    plan = planned(declared, remedy)
    assert plan_cost(plan, Store(tmp_path / "s"), site(gpu_memory="40G")).too_large == ()


def test_where_no_setting_is_enough_that_is_said(declared: Path, tmp_path: Path) -> None:
    only = Site.model_validate(
        {
            "profiles": {"gpu": {"time": 60, "gpus": 1, "gpu_memory": "10G"}},
            "use": {"default": "gpu"},
        }
    )
    refused = plan_cost(planned(declared), Store(tmp_path / "s"), only).too_large[0]
    assert "a larger GPU, or a smaller model: the least that settings make of it is" in refused.fix


def test_launch_finds_the_same_fatal(declared: Path, tmp_path: Path) -> None:
    plan, store, small = planned(declared), Store(tmp_path / "s"), site(gpu_memory="40G")
    (refused,) = plan_cost(plan, store, small).too_large
    (finding,) = check_gpu_memory(plan, machines(small, plan, store), {*plan.jobs}, store)
    assert (finding.level, finding.what, finding.fix) == ("fatal", refused.why, refused.fix)
    done = {key for key in plan.jobs if key != refused.key}
    assert check_gpu_memory(plan, machines(small, plan, store), done, store) == []
    assert check_gpu_memory(plan, machines(site(), plan, store), {*plan.jobs}, store) == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("gpu_memory", "80 GB", "'80 GB' is no amount of memory"),
        ("gpu_tflops", {"fp16": 300}, "'float32' or 'bfloat16'"),
        ("utilisation", 35, "less than or equal to 1"),
        ("gpus", 0, "gpu_memory or gpu_tflops is given, and gpus is 0"),
    ],
)
def test_a_gpu_that_cannot_be_is_refused(key: str, value: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        site(**{key: value})


@pytest.mark.parametrize(("written", "tasks", "size"), [("80G", 1, 80e9), ("512M", 1, 512e6), ("80G", 4, 20e9)])
def test_workers_of_one_gpu_share_its_memory(written: str, tasks: int, size: float) -> None:
    assert site(gpu_memory=written, tasks=tasks).profiles["gpu"].memory_of_worker == size
