"""Tuned values: as good as written under `differs:`, each with its line, refused where they are of something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabricated_tuned import TUNE, tuned_by_hand

from clpd_bench.errors import UserError
from clpd_bench.grid.cells import cells
from clpd_bench.grid.load import load_ablation, load_origins, load_untuned
from clpd_bench.grid.points import points
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.differences import compared_pairs, differences
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.rules.analysis import factorial_arms

RATE = "student.training.learning_rate"
BEST = {"clpd": {RATE: 4e-3}, "standard_kd": {RATE: 2e-3}, "data_ordering": {RATE: 2e-3}}
SETS = [TUNE, "tuned=small.tuned.yaml"]
AXIS = "axes={curriculum.pacing.strength: [0, 1]}"


def at_points(file: Path, *sets: str) -> dict[str, Ablation]:
    """The ablation at each point of its grid."""
    return {point.name: point.ablation for point in points(load_ablation(file, list(sets)))}


def test_keys_are_those_of_the_same_values_under_differs(small: Path) -> None:
    tuned_by_hand(small, BEST)
    by_hand = [f"arms.{arm}.differs={{{RATE}: {values[RATE]}}}" for arm, values in BEST.items()]
    tuned, written = build_plan(load_ablation(small, SETS), small), build_plan(load_ablation(small, by_hand), small)
    assert set(tuned.jobs) == set(written.jobs)
    assert set(tuned.jobs) != set(build_plan(load_ablation(small), small).jobs)
    models = {cell.id: cell.model for cell in written.cells}
    assert {cell.id: cell.model for cell in tuned.cells} == models


def test_where_the_tuned_file_lies_changes_no_key(small: Path) -> None:
    file = tuned_by_hand(small, BEST)
    plan = build_plan(load_ablation(small, SETS), small)
    (small.parent / "elsewhere").mkdir()
    file.rename(small.parent / "elsewhere" / "other.yaml")
    moved = build_plan(load_ablation(small, [TUNE, "tuned=elsewhere/other.yaml"]), small)
    assert set(moved.jobs) == set(plan.jobs)
    assert moved.declaration == plan.declaration


def test_a_file_without_tuning_declares_what_it_always_did(small: Path) -> None:
    plain, tune = load_ablation(small), load_ablation(small, [TUNE])
    assert build_plan(tune, small).declaration == build_plan(plain, small).declaration
    assert "tuned" not in str(build_plan(plain, small).declaration)


def test_tuned_arms_still_make_up_the_two_by_two(small: Path) -> None:
    tuned_by_hand(small, BEST)
    corners = ("standard_kd", "data_ordering", "teacher_scheduling", "clpd")
    sets = [*SETS, "analysis.family=[clpd, interaction]"]
    tuned_by_hand(small, BEST, "analysis.family=[clpd, interaction]")
    assert factorial_arms(load_ablation(small, sets)) == corners


def test_a_tuned_difference_is_declared_and_marked(small: Path) -> None:
    tuned_by_hand(small, BEST)
    ablation = at_points(small, *SETS)["base"]
    pairs = compared_pairs(ablation, cells(ablation, "small"))
    found = {arm.arm_name: [d for d in differences(baseline, arm) if d.tuned] for baseline, arm in pairs}
    assert [(d.key, d.first, d.second) for d in found["clpd"]] == [(RATE, 2e-3, 4e-3)]
    assert found["data_ordering"] == []  # both were given 2e-3


def test_every_tuned_value_has_its_line_of_the_tuned_file(small: Path) -> None:
    file = tuned_by_hand(small, BEST)
    (one,) = (o for o in load_origins(small, SETS) if o.key == f"chosen.base.clpd.{RATE}")
    name, line = one.source.rsplit(":", 1)
    assert (Path(name), one.value) == (file, 4e-3)
    assert file.read_text().splitlines()[int(line) - 1].strip() == f"{RATE}: 0.004"


def test_each_point_of_a_grid_has_the_values_that_were_chosen_there(small: Path) -> None:
    tuned_by_hand(small, BEST, AXIS, at={"[strength=1]": {"clpd": {RATE: 1e-3}}})
    plan = build_plan(load_ablation(small, [*SETS, AXIS]), small)
    rates = {cell.id: plan.jobs[cell.model].spec.training.learning_rate for cell in plan.cells}  # type: ignore[union-attr]
    assert [rates[f"small/clpd[strength={value}]/0"] for value in (0, 1)] == [4e-3, 1e-3]
    assert {rate for name, rate in rates.items() if "/standard_kd" in name} == {2e-3}
    assert {rate for name, rate in rates.items() if "/sft" in name} == {1e-3}


def test_points_share_an_arms_student_where_the_same_was_chosen_and_not_where_it_was_not(small: Path) -> None:
    """The axis changes nothing for an arm of shuffled data: only the chosen value can make two students of it."""
    tuned_by_hand(small, BEST, AXIS, at={"[strength=1]": {"standard_kd": {RATE: 4e-3}}})
    models = {cell.id: cell.model for cell in build_plan(load_ablation(small, [*SETS, AXIS]), small).cells}
    one, two = ({arm: models[f"small/{arm}[strength={value}]/0"] for arm in ("sft", "standard_kd")} for value in (0, 1))
    assert one["sft"] == two["sft"]
    assert one["standard_kd"] != two["standard_kd"]
    tuned_by_hand(small, BEST, AXIS)
    models = {cell.id: cell.model for cell in build_plan(load_ablation(small, [*SETS, AXIS]), small).cells}
    assert models["small/standard_kd[strength=0]/0"] == models["small/standard_kd[strength=1]/0"]


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        (
            ["axes={curriculum.pacing.strength: [0, 1, 0.5]}"],
            "at the point [strength=0.5], but at [strength=0], [stren",
        ),
        ([AXIS, "one_at_a_time={loss.ce_weight: [0.5]}"], "at the point [strength=0,ce_weight=0.5], but at"),
        ([], "at the point base, but at [strength=0], [strength=1]"),
    ],
)
def test_a_point_at_which_nothing_was_tuned_is_refused_by_its_name(small: Path, grid: list[str], told: str) -> None:
    tuned_by_hand(small, BEST, AXIS)
    with pytest.raises(UserError) as error:
        load_ablation(small, [*SETS, *grid])
    assert f"nothing was tuned {told}" in error.value.message
    assert f"Tune again: clpd tune {small}" in str(error.value)


def test_a_value_that_is_taken_off_an_axis_leaves_what_was_chosen_at_the_others(small: Path) -> None:
    tuned_by_hand(small, BEST, AXIS, at={"[strength=1]": {"clpd": {RATE: 1e-3}}})
    left = at_points(small, *SETS, "axes={curriculum.pacing.strength: [1]}")
    assert {name: ablation.arms["clpd"].tuned for name, ablation in left.items()} == {"[strength=1]": {RATE: 1e-3}}


def test_an_extended_files_tuned_values_lie_beside_it(small: Path) -> None:
    tuned_by_hand(small, BEST)
    small.write_text(f"{small.read_text()}{TUNE.replace('tune=', 'tune: ')}\ntuned: small.tuned.yaml\n")
    above = small.parent / "deeper" / "above.yaml"
    above.parent.mkdir()
    above.write_text("extends: ../small.yaml\n")
    assert at_points(above)["base"].arms["clpd"].tuned == {RATE: 4e-3}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("tune.seeds=[100, 102]", r"tune\.seeds was \[100, 101\] and is \[100, 102\]"),
        ("tune.metric=sequence_accuracy", r"tune\.metric was response_loss and is sequence_accuracy"),
        (f"tune.space={{{RATE}: [1e-3, 2e-3]}}", r"tune\.space was .*0\.004\]\} and is .*0\.002\]\}"),
        (
            "tune.arms=[standard_kd, clpd]",
            r"tune\.arms was \[standard_kd, data_ordering, .* is \[standard_kd, clpd\]",
        ),
        ("analysis.family=[clpd]", r"tune\.arms was"),
        ("arms.clpd.order=hard_to_easy", r"arm 'clpd' had order easy_to_hard and has hard_to_easy"),
        ("arms.clpd.teachers=strong_to_weak", r"arm 'clpd' had teachers weak_to_strong"),
        ("arms.clpd.differs={student.training.clip: 2}", r"arm 'clpd' had differs \{\} and has \{student"),
    ],
)
def test_values_of_another_tuning_are_refused_with_what_differs(small: Path, changed: str, told: str) -> None:
    tuned_by_hand(small, BEST)
    assert load_ablation(small, SETS).chosen
    with pytest.raises(UserError, match=told) as error:
        load_ablation(small, [*SETS, changed])
    assert error.value.key == "tuned"
    assert f"clpd tune {small}" in str(error.value)
    assert load_untuned(small, [*SETS, changed]).chosen == {}


def test_an_arm_whose_plugin_was_moved_is_the_one_that_was_tuned_and_one_of_the_same_name_is_not(small: Path) -> None:
    text = (Path(__file__).parents[2] / "ablations" / "plugins" / "mine.py").read_text()
    for folder, more in (("here", ""), ("moved", ""), ("other", "\n# another file\n")):
        (small.parent / folder).mkdir()
        (small.parent / folder / "mine.py").write_text(text + more)

    def rule(folder: str) -> str:
        return f'arms.clpd.teachers={{name: "{folder}/mine.py:late", alone: 1}}'

    tuned_by_hand(small, BEST, rule("here"))
    assert load_ablation(small, [*SETS, rule("moved")]).chosen
    with pytest.raises(UserError, match=r"arm 'clpd' had teachers \{name: plugin, .*sha256: (\w+).* sha256: (?!\1)\w+"):
        load_ablation(small, [*SETS, rule("other")])


def test_a_missing_file_says_how_to_make_it(small: Path) -> None:
    with pytest.raises(UserError, match=rf"no file .*small\.tuned\.yaml.*Make it: clpd tune {small}"):
        load_ablation(small, SETS)


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        (
            f"chosen:\n        {RATE}: 0.004",
            f"chosen:\n        {RATE}: 0.002",
            r"points\.base\.clpd\.chosen: is not the best",
        ),
        (
            f"chosen:\n        {RATE}: 0.004",
            f"chosen:\n        {RATE}: 0.3",
            r"points\.base\.clpd\.chosen: is not the best",
        ),
        ("metric: response_loss", "metric: respons_loss", r"tune\.metric: unknown value.*Did you mean 'response_loss'"),
        ("git:", "gitt:", r"gitt: unknown key"),
    ],
)
def test_a_file_that_was_changed_by_hand_is_refused(small: Path, was: str, becomes: str, told: str) -> None:
    file = tuned_by_hand(small, BEST)
    assert was in file.read_text()
    file.write_text(file.read_text().replace(was, becomes))
    with pytest.raises(UserError, match=told) as error:
        load_ablation(small, SETS)
    assert error.value.file == file
    assert error.value.line


@pytest.mark.parametrize("text", ["", "[]", "a: b: c", "\0"])
def test_a_file_that_is_no_tuned_file_is_refused(small: Path, text: str) -> None:
    tuned_by_hand(small, BEST).write_text(text)
    with pytest.raises(UserError):
        load_ablation(small, SETS)


def test_controls_may_be_given_another_learning_rate_than_the_arm_they_are_made_from(small: Path) -> None:
    control = "arms.control={order: permuted:clpd, teachers: weak_to_strong}"
    family = "analysis.family=[clpd, control]"
    tuned_by_hand(small, {**BEST, "control": {RATE: 1e-3}}, control, family)
    ablation = at_points(small, *SETS, control, family)["base"]
    assert (ablation.arms["clpd"].tuned, ablation.arms["control"].tuned) == ({RATE: 4e-3}, {RATE: 1e-3})


def test_a_file_without_one_of_its_arms_is_refused(small: Path) -> None:
    file = tuned_by_hand(small, BEST)
    file.write_text(file.read_text().replace("\n    clpd:\n", "\n    clpt:\n"))
    with pytest.raises(UserError, match=r"points\.base: has not the arms that tune\.arms lists"):
        load_ablation(small, SETS)
