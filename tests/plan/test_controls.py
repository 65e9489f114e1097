"""Controls in the plan: what an arm takes from another stands in its key without that arm's name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clpd_bench.grid.cells import cells
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.prepare import data_keys
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.plan.supervision import needs_difficulty, supervision_of
from clpd_bench.results.collect import factorial
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.specs import ModelSpec, Supervision

CONTROLS = Path(__file__).parents[2] / "ablations" / "controls.yaml"


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def students(plan: Plan) -> dict[str, str]:
    """{arm: key} at the first seed."""
    return {cell.name: cell.model for cell in plan.cells if cell.seed == 0}


def supervision(plan: Plan, arm: str) -> Supervision:
    spec = plan.jobs[students(plan)[arm]].spec
    assert isinstance(spec, ModelSpec)
    assert spec.supervision
    return spec.supervision


def test_the_ablation_of_all_controls_is_planned_and_uses_every_name() -> None:
    ablation = load_ablation(CONTROLS)
    plan = build_plan(ablation, CONTROLS)
    used = {(cell.arm.order.name, cell.arm.teachers.name) for cell in cells(ablation, "controls")}
    assert {order for order, _ in used} == set(_names("orders"))
    assert {rule for _, rule in used} == set(_names("teachers")) - {"plugin"}
    assert {cell.curriculum.pacing.name for cell in cells(ablation, "controls")} == set(_names("pacings")) - {"plugin"}
    assert len({*students(plan).values()}) == len(ablation.arms)  # none is another under a second name


def _names(what: str) -> list[str]:
    from clpd_bench.curriculum import orders, pacings, teachers

    return list({"orders": orders.ORDERS, "teachers": teachers.TEACHER_RULES, "pacings": pacings.PACINGS}[what])


def test_parents_stand_before_their_children_where_difficulty_is_a_models_loss(small: Path) -> None:
    for file, sets in ((CONTROLS, []), (small, ["curriculum.difficulty=student_loss:small"])):
        seen: set[str] = set()
        for key, job in plan_of(file, *sets).jobs.items():
            assert seen.issuperset(job.parents.values())
            seen.add(key)


def test_settings_of_arms_that_were_there_before_are_what_they_were(small: Path) -> None:
    """Word for word what went into keys when there were but two orders and three rules."""
    plan, kl = plan_of(small), {"name": "forward_kl"}
    blend = {"stages": 2, "pacing": {"name": "blend", "strength": 0.6}}
    shuffled, easy = {"order": {"name": "shuffled"}}, {"order": {"name": "easy_to_hard"}}
    expected = {
        "sft": shuffled,
        "standard_kd": {"loss": kl, **shuffled, "teachers": 1},
        "data_ordering": {"loss": kl, **easy, **blend, "teachers": 1},
        "teacher_scheduling": {"loss": kl, **shuffled, "stages": 2, "teachers": 2},
        "clpd": {"loss": kl, **easy, **blend, "teachers": 2},
    }
    assert {arm: fingerprint(supervision(plan, arm)) for arm in students(plan)} == expected


@pytest.mark.parametrize(
    "changed",
    [
        ["curriculum.stages=5"],
        ["curriculum.pacing=cumulative", "curriculum.match=tokens"],
        ["curriculum.difficulty=student_loss:small"],
    ],
)
def test_the_curriculum_block_is_in_no_key_of_a_student_that_does_not_follow_it(
    small: Path, changed: list[str]
) -> None:
    only = "arms.weak={order: shuffled, teachers: 'only:small'}"
    before, after = students(plan_of(small, only)), students(plan_of(small, only, *changed))
    assert {arm for arm in before if before[arm] == after[arm]} >= {"sft", "standard_kd", "weak"}
    assert before["clpd"] != after["clpd"]


def test_the_name_of_a_referred_arm_is_in_no_key(small: Path) -> None:
    new = "arms.new={{order: 'permuted:{0}', teachers: 'by_difficulty:{0}'}}"
    before = students(plan_of(small, new.format("clpd")))
    small.write_text(small.read_text().replace("clpd", "ours"))
    after = students(plan_of(small, new.format("ours")))
    assert before["new"] == after["new"]
    assert fingerprint(supervision(plan_of(small, new.format("ours")), "new"))["order"]["of"] == ""


@pytest.mark.parametrize("change", ["curriculum.pacing.strength=0.5", "curriculum.stages=3"])
def test_what_changes_the_referred_arm_changes_what_is_made_from_it(small: Path, change: str) -> None:
    arms = [
        "arms.moved={order: 'permuted:clpd', teachers: strongest}",
        "arms.paired={order: shuffled, teachers: 'by_difficulty:clpd'}",
    ]
    before, after = students(plan_of(small, *arms)), students(plan_of(small, *arms, change))
    assert before["moved"] != after["moved"]
    assert before["paired"] != after["paired"]


def test_presentations_of_two_arms_of_one_order_are_one_control(small: Path) -> None:
    """Permuting takes the order alone, whoever taught there."""
    arms = [f"arms.{of}_moved={{order: 'permuted:{of}', teachers: strongest}}" for of in ("clpd", "data_ordering")]
    made = students(plan_of(small, *arms))
    assert made["clpd_moved"] == made["data_ordering_moved"]


def test_a_control_has_a_difficulty_where_its_schedule_asks_for_one() -> None:
    plan = plan_of(CONTROLS)
    jobs: dict[str, Job] = {arm: plan.jobs[key] for arm, key in students(plan).items()}
    without = {arm for arm, job in jobs.items() if "difficulty" not in job.parents}
    assert without == {
        "sft", "standard_kd", "teacher_scheduling", "random_stages", "weak_only", "strong_to_weak",
        "random_teachers", "late_teacher",
    }  # fmt: skip
    assert all(needs_difficulty(supervision(plan, arm)) == (arm not in without) for arm in jobs)


def test_teachers_of_a_control_are_those_that_it_names() -> None:
    plan = plan_of(CONTROLS)
    targets = {
        arm: [plan.jobs[parent].label.split()[2] for role, parent in sorted(job.parents.items()) if "targets" in role]
        for arm, job in ((arm, plan.jobs[key]) for arm, key in students(plan).items())
    }
    assert targets["sft"] == []
    assert targets["weak_only"] == ["small"]
    assert targets["late_teacher"] == targets["homogeneous"] == ["large"]
    assert targets["aligned"] == targets["anti_aligned"] == targets["clpd"] == ["small", "large"]


def test_difficulties_that_need_a_model_are_no_data_jobs() -> None:
    """They are made by the workers, and planning trains nothing."""
    plan = plan_of(CONTROLS)
    labels = {plan.jobs[key].label for key in data_keys(plan)}
    assert "difficulty cot_steps:equations of sums" in labels
    assert not any("loss" in label for label in labels)
    assert any("loss" in job.label for job in plan.jobs.values() if job.kind == "difficulty")


def test_a_model_job_of_a_difficulty_knows_no_name_of_the_model(small: Path) -> None:
    plan = plan_of(small, "curriculum.difficulty=length_residual:teacher_loss:large")
    (job,) = {job.key: job for job in plan.jobs.values() if job.kind == "difficulty"}.values()
    assert fingerprint(job.spec)["difficulty"]["difficulty"] == {"name": "teacher_loss", "teacher": ""}
    assert plan.jobs[job.parents["model"]].label == "model large"


def test_no_control_is_taken_for_a_corner_of_the_factorial(small: Path) -> None:
    """Of the 2 x 2 with shuffled data: another order that is not easy_to_hard is not shuffled."""
    text = small.read_text()
    small.write_text(text.replace("arms:\n", "arms:\n  reversed: {order: hard_to_easy, teachers: strongest}\n", 1))
    found = factorial(load_ablation(small))
    assert found
    assert set(vars(found).values()) == {"standard_kd", "data_ordering", "teacher_scheduling", "clpd"}


def test_reference_arms_of_other_seeds_are_of_the_same_seed(small: Path) -> None:
    ablation: Ablation = load_ablation(small, ["arms.moved={order: 'permuted:clpd', teachers: strongest}"])
    moved = [cell for cell in cells(ablation, "small") if cell.arm_name == "moved"]
    assert [cell.order_of.seed for cell in moved if cell.order_of] == [0, 1]
    assert len({supervision_of(cell, ablation.teachers).model_dump_json() for cell in moved}) == 1
    assert np.array_equal([cell.seed for cell in moved], [0, 1])
