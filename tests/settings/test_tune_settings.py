"""`tune:` that would not be fair, or could not be, is refused where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabricated_tuned import TUNE
from refusal import refused

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation

RATE = "student.training.learning_rate"


def test_a_reported_seed_may_not_be_tuned_on(small: Path) -> None:
    error = refused(small, TUNE, "tune.seeds=[100, 1]")
    assert error.key == "tune.seeds.1"
    assert "seed 1 is one of the reported seeds" in str(error)
    assert load_ablation(small, [TUNE, "tune.seeds=[100, 2]"]).tune


@pytest.mark.parametrize(
    "key",
    [
        "student.training.steps", "student.training.epochs", "student.training.tokens_per_step",
        "student.training.stop.at", "student.training", "student", "student.initial.hidden_size", "student.corpus",
        "curriculum", "curriculum.match",
    ],
)  # fmt: skip
def test_what_arms_have_to_be_equal_in_cannot_be_tuned(small: Path, key: str) -> None:
    error = refused(small, TUNE, f"tune.space={{{key}: [1, 2]}}")
    assert error.key == f"tune.space.{key}"
    assert "cannot be tuned: " in str(error)


def test_what_an_arm_cannot_have_of_its_own_cannot_be_tuned(small: Path) -> None:
    error = refused(small, TUNE, "tune.space={targets.top_k: [4, 8]}")
    assert error.allowed == ["student.<key>", "loss.<key>", "curriculum.<key>"]


@pytest.mark.parametrize("part", ["axes", "one_at_a_time"])
@pytest.mark.parametrize("axis", [RATE, "loss"])
def test_a_setting_is_either_an_axis_or_tuned(small: Path, part: str, axis: str) -> None:
    key = RATE if axis == RATE else "loss.ce_weight"
    value = "[1e-3, 2e-3]" if axis == RATE else "[{name: forward_kl}, {name: forward_kl, ce_weight: 0.5}]"
    error = refused(small, TUNE, f"tune.space={{{key}: [0.1, 0.2]}}", f"{part}={{{axis}: {value}}}")
    assert error.key == f"tune.space.{key}"
    assert f"{axis} is an axis of the file" in str(error)


def test_a_value_that_will_not_do_is_told_at_its_place_in_the_space(small: Path) -> None:
    error = refused(small, TUNE, f"tune.space={{{RATE}: [1e-3, -1]}}")
    assert error.key == f"tune.space.{RATE}.1"
    assert "must be greater than 0" in str(error)


def test_a_value_that_will_not_do_at_one_point_of_the_grid_is_told_with_the_point(small: Path) -> None:
    """Teachers with stored targets at one temperature: the space is right at the base and wrong where they are."""
    live = "axes={targets: [{live: true}, {temperatures: [1]}]}"
    error = refused(small, TUNE, "tune.space={loss.temperature: [1, 2]}", live)
    assert error.key == "axes.targets.1"
    assert "loss.temperature 2 is none of the temperatures" in str(error)
    assert "at the point [targets=1,temperature=2]" in str(error)
    assert load_ablation(small, [TUNE, "tune.space={loss.temperature: [1, 2]}", "targets={live: true}"]).tune


def test_an_unknown_key_is_told_with_the_nearest(small: Path) -> None:
    error = refused(small, TUNE, "tune.space={student.training.learning_rat: [1e-3]}")
    assert (error.key, error.nearest) == ("tune.space.student.training.learning_rat.0", "learning_rate")


def test_an_arm_with_its_own_value_is_not_tuned_over_it(small: Path) -> None:
    differs = f"arms.clpd.differs={{{RATE}: 5e-3}}"
    error = refused(small, TUNE, differs)
    assert "arm 'clpd' declares its own student.training.learning_rate" in str(error)
    assert load_ablation(small, [TUNE, differs, "tune.arms=[standard_kd]"]).tune


def test_unknown_arms_and_twins_are_refused(small: Path) -> None:
    assert refused(small, TUNE, "tune.arms=[clpq]").nearest == "clpd"
    assert "stands in the list twice" in str(refused(small, TUNE, "tune.arms=[clpd, clpd]"))
    assert "stands in the list twice" in str(refused(small, TUNE, "tune.seeds=[7, 7]"))
    assert "stands in the list twice" in str(refused(small, TUNE, f"tune.space={{{RATE}: [1e-3, 1e-3]}}"))


@pytest.mark.parametrize(
    ("key", "value"), [("arms.clpd.tuned", f"{{{RATE}: 1e-3}}"), ("chosen", f"{{base: {{clpd: {{{RATE}: 1e-3}}}}}}")]
)
def test_an_arms_tuned_values_are_not_written_by_hand(small: Path, key: str, value: str) -> None:
    error = refused(small, TUNE, f"{key}={value}")
    assert error.key == key
    assert "not written by hand" in str(error)


def test_tuned_values_want_the_block_that_they_were_chosen_under(small: Path) -> None:
    with pytest.raises(UserError, match="no `tune:` that says what was tuned"):
        load_ablation(small, ["tuned=small.tuned.yaml"])


def test_curricula_that_a_control_borrows_are_not_tuned(small: Path) -> None:
    control = "arms.control={order: permuted:clpd, teachers: weak_to_strong}"
    error = refused(small, TUNE, control, "tune.space={curriculum.pacing.strength: [0.3, 0.6]}")
    assert "arm 'control' takes its order from arm 'clpd'" in str(error)


def test_a_student_that_stops_at_a_score_is_not_tuned(small: Path) -> None:
    error = refused(small, TUNE, "student.training.stop={metric: response_loss, at: 1}")
    assert error.key == "student.training.stop"
    assert "cannot be tuned" in error.message
