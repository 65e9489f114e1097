"""Arms differ in order, teachers and what they declare: all of it shown, anything else refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.cells import Cell, cells
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.differences import compared_pairs, differences


def arms(file: Path, *sets: str) -> dict[str, Cell]:
    return {c.arm_name: c for c in cells(load_ablation(file, list(sets)), file.stem) if c.seed == 0}


def changed(cell: Cell, **training: Any) -> Cell:
    student = cell.student
    return dataclasses.replace(
        cell,
        student=student.model_copy(update={"training": student.training.model_copy(update=training)}),
    )


def test_the_grid_is_every_arm_with_every_seed(small: Path) -> None:
    grid = cells(load_ablation(small, ["seeds=[4, 2, 9]"]), "small")
    names = ["sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd"]
    assert [(c.arm_name, c.seed) for c in grid] == [(name, seed) for name in names for seed in (4, 2, 9)]
    assert grid[0].id == "small/sft/4"


def test_the_arms_of_the_factorial_differ_in_order_and_teachers_alone(small: Path) -> None:
    grid = arms(small)
    found = {
        name: {(d.key, d.first, d.second) for d in differences(grid["standard_kd"], grid[name])}
        for name in ("data_ordering", "teacher_scheduling", "clpd")
    }
    order, teachers = ("order", "shuffled", "easy_to_hard"), ("teachers", "strongest", "weak_to_strong")
    assert found == {"data_ordering": {order}, "teacher_scheduling": {teachers}, "clpd": {order, teachers}}


def test_sft_differs_in_its_loss_and_need_not_declare_it(small: Path) -> None:
    grid = arms(small)
    found = {d.key for d in differences(grid["standard_kd"], grid["sft"])}
    assert found == {"teachers", "loss.name", "loss.temperature", "loss.ce_weight"}


def test_settings_that_only_the_second_arm_has_are_differences(small: Path) -> None:
    """Cross-entropy, which stands first here, has no temperature and no weight."""
    grid = arms(small)
    found = {d.key: (d.first, d.second) for d in differences(grid["sft"], grid["standard_kd"])}
    assert set(found) == {"teachers", "loss.name", "loss.temperature", "loss.ce_weight"}
    loss = grid["standard_kd"].loss
    assert found["loss.temperature"] == (None, loss.temperature)
    assert found["loss.ce_weight"] == (None, loss.ce_weight)


def test_a_declared_difference_is_allowed_and_shown(small: Path) -> None:
    grid = arms(small, "arms.clpd.differs={student.training.learning_rate: 0.5}")
    found = {d.key: (d.first, d.second) for d in differences(grid["standard_kd"], grid["clpd"])}
    assert found["student.training.learning_rate"] == (0.001, 0.5)
    assert set(found) == {"order", "teachers", "student.training.learning_rate"}


def test_a_declared_difference_reaches_the_student_that_is_trained(small: Path) -> None:
    planned = build_plan(load_ablation(small, ["arms.clpd.differs={student.training.learning_rate: 0.5}"]), small)
    rates = {c.name: planned.jobs[c.model].spec.training.learning_rate for c in planned.cells}  # type: ignore[union-attr]
    assert rates == {
        "sft": 0.001,
        "standard_kd": 0.001,
        "data_ordering": 0.001,
        "teacher_scheduling": 0.001,
        "clpd": 0.5,
    }


def test_declaring_a_whole_block_covers_what_is_inside_and_nothing_beside(small: Path) -> None:
    block = "{epochs: 2, steps: 6, learning_rate: 0.5, clip: 2}"
    grid = arms(small, f"arms.clpd.differs={{student.training: {block}}}")
    found = {d.key for d in differences(grid["standard_kd"], grid["clpd"])}
    assert found == {"order", "teachers", "student.training.learning_rate", "student.training.clip"}
    beside = dataclasses.replace(grid["clpd"], loss=grid["clpd"].loss.model_copy(update={"ce_weight": 0.3}))
    with pytest.raises(UserError, match=r"differ in loss\.ce_weight"):
        differences(grid["standard_kd"], beside)


def test_a_declared_name_covers_no_other_that_begins_like_it(small: Path) -> None:
    grid = arms(small)
    declares = grid["clpd"].arm.model_copy(update={"differs": {"student.training.learning": 0.5}})
    other = changed(dataclasses.replace(grid["clpd"], arm=declares), learning_rate=0.5)
    with pytest.raises(UserError, match=r"student\.training\.learning_rate .* which neither declares"):
        differences(grid["standard_kd"], other)


@pytest.mark.parametrize(
    "training", [{"learning_rate": 0.25}, {"epochs": 3}, {"betas": (0.8, 0.9)}, {"warmup_steps": 2}]
)
def test_a_difference_that_nobody_declares_is_refused(small: Path, training: dict[str, Any]) -> None:
    grid = arms(small)
    key = next(iter(training))
    with pytest.raises(UserError) as told:
        differences(grid["standard_kd"], changed(grid["clpd"], **training))
    text = str(told.value)
    assert f"arms 'standard_kd' and 'clpd' differ in student.training.{key} (" in text
    assert repr(training[key]).strip("()") in text.replace("[", "").replace("]", "")
    assert "Declare it under the arm's `differs:`" in text


def test_curricula_may_not_differ_in_silence(small: Path) -> None:
    grid = arms(small)
    other = dataclasses.replace(grid["clpd"], curriculum=grid["clpd"].curriculum.model_copy(update={"stages": 3}))
    with pytest.raises(UserError, match=r"curriculum\.stages \(2 and 3\), which neither declares"):
        differences(grid["standard_kd"], other)


def test_every_arm_is_compared_with_the_baseline(small: Path) -> None:
    ablation = load_ablation(small)
    pairs = compared_pairs(ablation, cells(ablation, "small"))
    assert [(a.arm_name, b.arm_name) for a, b in pairs] == [
        ("standard_kd", name) for name in ("sft", "data_ordering", "teacher_scheduling", "clpd")
    ]
    assert {(a.seed, b.seed) for a, b in pairs} == {(0, 0)}
