"""A grid holds the points that its axes and constraints say, and each is a valid file of its own."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusal import refused

from clpd_bench.grid.load import load_ablation
from clpd_bench.grid.points import points, short_names
from clpd_bench.settings.parts.ablation import Ablation

SMALL = load_ablation(Path(__file__).parent / "small.yaml")
STRENGTH, EPOCHS, ALPHA = "curriculum.pacing.strength", "student.training.epochs", "loss.temperature"
strengths = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.6, 0.75, 1.0]), min_size=1, unique=True)
epochs = st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True)


def gridded(**parts: object) -> Ablation:
    return Ablation.model_validate({**SMALL.model_dump(), **parts}, context={"folder": SMALL.folder})


@given(strengths, epochs, st.data())
def test_the_grid_is_the_product_of_the_axes_less_what_is_excluded(
    first: list[float], second: list[int], data: st.DataObject
) -> None:
    product = [(a, b) for a in first for b in second]
    out = data.draw(st.lists(st.sampled_from(product), unique=True, max_size=len(product) - 1))
    constraints = [{"exclude": {STRENGTH: a, EPOCHS: b}} for a, b in out]
    found = points(gridded(axes={STRENGTH: first, EPOCHS: second}, constraints=constraints))
    assert [(p.coordinates[STRENGTH], p.coordinates[EPOCHS]) for p in found] == [x for x in product if x not in out]
    assert len({p.label for p in found}) == len(found)


@given(strengths, epochs)
def test_one_at_a_time_is_the_base_and_each_other_value_alone(first: list[float], second: list[int]) -> None:
    base = {STRENGTH: 0.6, EPOCHS: 2}  # as the file has it
    axes = {STRENGTH: list({*first, 0.6}), EPOCHS: list({*second, 2})}
    found = points(gridded(one_at_a_time=axes))
    assert len(found) == 1 + sum(len(values) - 1 for values in axes.values())
    assert dict(found[0].coordinates) == {}
    assert found[0].label == ""
    assert found[0].ablation == SMALL
    for point in found[1:]:
        ((key, value),) = point.coordinates.items()
        assert value != base[key]


@given(strengths, epochs)
def test_one_at_a_time_varies_around_every_point_of_the_axes(first: list[float], second: list[int]) -> None:
    around = list({*second, 2})
    found = points(gridded(axes={STRENGTH: first}, one_at_a_time={EPOCHS: around}))
    assert len(found) == math.prod([len(first), len(around)])


def test_a_point_is_the_file_with_its_values_and_nothing_else() -> None:
    (point,) = points(gridded(axes={STRENGTH: [0.25], EPOCHS: [5]}))
    data = SMALL.model_dump()
    data["curriculum"]["pacing"]["strength"], data["student"]["training"]["epochs"] = 0.25, 5
    assert point.ablation == Ablation.model_validate(data, context={"folder": SMALL.folder})


def test_a_constraint_on_one_key_excludes_all_points_with_that_value() -> None:
    found = points(gridded(axes={STRENGTH: [0, 1], EPOCHS: [1, 2]}, constraints=[{"exclude": {STRENGTH: 1}}]))
    assert [p.label for p in found] == ["[strength=0,epochs=1]", "[strength=0,epochs=2]"]


def test_a_constraint_reaches_a_base_that_does_not_vary_the_key() -> None:
    two = {STRENGTH: [0.6, 1], EPOCHS: [2, 3]}
    found = points(gridded(one_at_a_time=two, constraints=[{"exclude": {STRENGTH: 1, EPOCHS: 2}}]))
    assert [p.label for p in found] == ["", "[epochs=3]"]


def test_an_excluded_point_need_not_be_valid() -> None:
    axes = {"teachers": [["small"], ["small", "large"]], "curriculum.stages": [1, 2]}
    exclude = [{"exclude": {"teachers": ["small", "large"], "curriculum.stages": 1}}]
    assert len(points(gridded(axes=axes, constraints=exclude))) == 3


def test_an_arm_that_declares_another_value_keeps_it_at_every_point() -> None:
    data = gridded(axes={EPOCHS: [1, 2]}).model_dump()
    data["arms"]["clpd"]["differs"] = {EPOCHS: 5}
    from clpd_bench.grid.cells import cells

    for point in points(Ablation.model_validate(data)):
        epochs = {c.arm_name: c.student.training.epochs for c in cells(point.ablation, "x")}
        assert epochs["clpd"] == 5
        assert epochs["sft"] == point.coordinates[EPOCHS]


def test_names_are_the_shortest_tails_that_tell_keys_apart() -> None:
    keys = ["models.small.training.epochs", "student.training.epochs", STRENGTH, "teachers"]
    assert short_names(keys) == {
        "models.small.training.epochs": "small.training.epochs",
        "student.training.epochs": "student.training.epochs",
        STRENGTH: "strength",
        "teachers": "teachers",
    }


MISTAKES = {
    # what: (in the file, key, what the sentence says)
    "a misspelt root": ("axes: {curiculum.stages: [1]}", "axes.curiculum.stages", "Did you mean 'curriculum'?"),
    "what may not vary": ("axes: {seeds: [[0], [1]]}", "axes.seeds", "an axis may not vary 'seeds'"),
    "a misspelt key": (
        "axes: {student.training.epoch: [1]}",
        "axes.student.training.epoch.0",
        "Did you mean 'epochs'?",
    ),
    "a value that will not do": (f"axes: {{{STRENGTH}: [0, 2]}}", f"axes.{STRENGTH}.1", "[strength=2]"),
    "a value twice": (f"axes: {{{STRENGTH}: [1, 1]}}", f"axes.{STRENGTH}", "value 1 stands in the list twice"),
    "an empty axis": (f"axes: {{{STRENGTH}: []}}", f"axes.{STRENGTH}", "is empty"),
    "no list": (f"axes: {{{STRENGTH}: 1}}", f"axes.{STRENGTH}", "wants a list"),
    "a combination that is wrong at one point": (
        "axes: {curriculum.stages: [2, 1]}",
        "axes.curriculum.stages.1",
        "1 stage cannot seat the 2 teachers of arm 'teacher_scheduling', one a stage, at the point [stages=1]",
    ),
    "one axis inside another": (
        f"axes: {{{STRENGTH}: [1]}}\none_at_a_time: {{curriculum.pacing: [partition]}}",
        "one_at_a_time.curriculum.pacing",
        "varies already",
    ),
    "a constraint on what does not vary": (
        f"axes: {{{STRENGTH}: [1]}}\nconstraints: [{{exclude: {{curriculum.pacing.strenth: 1}}}}]",
        "constraints.0.exclude.curriculum.pacing.strenth",
        f"Did you mean '{STRENGTH}'?",
    ),
    "a constraint on a value that does not occur": (
        f"axes: {{{STRENGTH}: [0, 1]}}\nconstraints: [{{exclude: {{{STRENGTH}: 2}}}}]",
        f"constraints.0.exclude.{STRENGTH}",
        "Allowed: 0, 1",
    ),
    "an empty grid": (
        f"axes: {{{STRENGTH}: [1]}}\nconstraints: [{{exclude: {{{STRENGTH}: 1}}}}]",
        "constraints",
        "exclude every point, so the grid has no cells",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_in_a_grid_is_told_at_the_axis_with_its_line(small: Path, what: str) -> None:
    text, key, says = MISTAKES[what]
    error = refused(small, more=text)
    assert error.key == key
    assert says in str(error)
    wanted = text.split("\n")[0 if key.startswith("axes") else -1]
    assert error.line == small.read_text().split("\n").index(wanted) + 1
