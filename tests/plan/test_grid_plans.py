"""Points share what they have in common, and a new value changes nothing that was there."""

from __future__ import annotations

from pathlib import Path

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan, point_plans
from clpd_bench.plan.plan import Plan

STRENGTHS = "axes={curriculum.pacing.strength: [0, 0.6, 1]}"
EXAMPLE = Path(__file__).parents[2] / "ablations" / "strength.yaml"


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def keys(plan: Plan) -> dict[str, tuple[str, dict[str, str]]]:
    return {cell.id: (cell.model, cell.evaluations) for cell in plan.cells}


def test_arms_that_an_axis_does_not_touch_are_one_job_at_all_points(small: Path) -> None:
    planned = plan_of(small, STRENGTHS)
    students: dict[tuple[str, int], set[str]] = {}
    for cell in planned.cells:
        students.setdefault((cell.name, cell.seed), set()).add(cell.model)
    several = {"data_ordering", "clpd"}  # those whose order has a pacing
    assert {name: len(found) for (name, _), found in students.items()} == {
        name: 3 if name in several else 1 for name, _ in students
    }


def test_every_point_is_the_plan_of_a_file_with_its_values(small: Path) -> None:
    points = point_plans(load_ablation(small, [STRENGTHS]), small)
    for one, strength in zip(points, ("0", "0.6", "1"), strict=True):
        alone = plan_of(small, f"curriculum.pacing.strength={strength}")
        assert set(one.plan.jobs) == set(alone.jobs)
        assert one.plan.declaration == alone.declaration


def test_cells_are_named_by_arm_point_and_seed(small: Path) -> None:
    assert "small/clpd[strength=0.6]/1" in keys(plan_of(small, STRENGTHS))
    around = plan_of(small, STRENGTHS.replace("axes", "one_at_a_time"))
    assert {"small/clpd/1", "small/clpd[strength=1]/1"} < set(keys(around))


def test_a_new_value_leaves_the_keys_of_existing_cells(small: Path) -> None:
    before, after = plan_of(small, STRENGTHS), plan_of(small, STRENGTHS.replace("[0,", "[0.25, 0,"))
    assert keys(before).items() <= keys(after).items()
    assert set(before.jobs) < set(after.jobs)


def test_axes_leave_the_keys_of_the_file_without_them(small: Path) -> None:
    without, with_axes = keys(plan_of(small)), keys(plan_of(small, STRENGTHS))
    assert without["small/clpd/0"] == with_axes["small/clpd[strength=0.6]/0"]


def test_parents_stand_before_their_children_in_the_plan_of_a_grid(small: Path) -> None:
    axes = "axes={models.small.seed: [0, 1], curriculum.difficulty: ['teacher_loss:small', cot_tokens]}"
    seen: set[str] = set()
    for key, job in plan_of(small, axes).jobs.items():
        assert set(job.parents.values()) <= seen
        seen.add(key)


def test_a_plan_of_a_grid_is_the_same_after_json(small: Path) -> None:
    planned = plan_of(small, STRENGTHS)
    assert Plan.from_json(planned.to_json()) == planned


def test_the_example_has_three_points_and_trains_ordered_arms_alone_thrice() -> None:
    planned = plan_of(EXAMPLE)
    assert len(planned.cells) == 3 * 4 * 2
    assert len({cell.model for cell in planned.cells}) == (2 * 1 + 2 * 3) * 2
