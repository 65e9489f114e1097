"""The plan of tuning: one budget for all arms, nothing evaluated, nothing made twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_untuned
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.tuning import Tuning, plan_tuning
from clpd_bench.settings.specs import ModelSpec

SPACE = "{student.training.learning_rate: [1e-3, 2e-3, 4e-3], student.training.weight_decay: [0, 0.1]}"
AXIS, STRENGTH = "axes={curriculum.pacing.strength: [0, 1]}", "curriculum.pacing.strength=1"
ARMS = ["standard_kd", "data_ordering", "teacher_scheduling", "clpd"]


def tuning_of(file: Path, *sets: str, tune: str = f"{{space: {SPACE}, seeds: [100, 101]}}") -> Tuning:
    return plan_tuning(load_untuned(file, [f"tune={tune}", *sets]), file)


def training(tuning: Tuning, key: str) -> ModelSpec:
    spec = tuning.plan.jobs[key].spec
    assert isinstance(spec, ModelSpec)
    return spec


def test_every_compared_arm_is_tried_at_every_point_with_every_seed(small: Path) -> None:
    tuning = tuning_of(small)
    assert Counter(trial.arm for trial in tuning.trials) == dict.fromkeys(ARMS, 6)
    points = {arm: [dict(trial.values) for trial in tuning.trials if trial.arm == arm] for arm in ARMS}
    assert all(points[arm] == points["clpd"] for arm in ARMS)
    assert len({tuple(point.values()) for point in points["clpd"]}) == 6
    assert {tuple(trial.students) for trial in tuning.trials} == {(100, 101)}
    assert len({key for trial in tuning.trials for key in trial.students.values()}) == 4 * 6 * 2


def test_a_trials_students_have_its_values_and_seeds_and_are_trained_as_long_as_all_others(small: Path) -> None:
    tuning = tuning_of(small)
    for trial in tuning.trials:
        for seed, key in trial.students.items():
            spec = training(tuning, key)
            assert spec.training
            assert spec.seed == seed
            assert spec.training.learning_rate == trial.values["student.training.learning_rate"]
            assert spec.training.weight_decay == trial.values["student.training.weight_decay"]
            assert (spec.training.steps, spec.training.epochs) == (6, 2)


def test_nothing_is_evaluated_and_nothing_declared(small: Path) -> None:
    plan = tuning_of(small).plan
    assert {job.kind for job in plan.jobs.values()} == {"corpus", "difficulty", "model", "targets"}
    assert not any(cell.evaluations for cell in plan.cells)
    assert not plan.references
    assert not plan.ladders
    assert plan.declaration == {"points": {}}


def test_a_corpus_that_is_only_for_tests_is_not_made(small: Path) -> None:
    text = small.read_text()
    corpora, models = text.index("  many:"), text.index("models:")
    held = text[corpora:models].replace("many", "held_out").replace("seed: 1", "seed: 2")
    small.write_text(
        f"{text[:models]}{held}{text[models:]}".replace("sums: {corpus: sums,", "sums: {corpus: held_out,")
    )
    assert "corpus held_out" in {job.label for job in build_plan(load_untuned(small), small).jobs.values()}
    assert "corpus held_out" not in {job.label for job in tuning_of(small).plan.jobs.values()}


def test_teachers_targets_and_corpora_are_the_real_plans(small: Path) -> None:
    real, tuning = build_plan(load_untuned(small), small), tuning_of(small).plan
    shared = {job.label for key, job in tuning.jobs.items() if key in real.jobs}
    own = {job.label.split("[")[0].split("/")[0] for key, job in tuning.jobs.items() if key not in real.jobs}
    assert {"corpus sums", "corpus many", "model small", "model large"} <= shared
    assert {"targets of small on sums", "targets of large on sums"} <= shared
    assert own == {"initial weights", *(f"student {arm}" for arm in ARMS)}


def test_what_was_chosen_before_changes_no_trial(small: Path) -> None:
    assert tuning_of(small, "tuned=not_there.yaml").trials == tuning_of(small).trials


def test_every_arm_is_tried_at_every_point_of_the_grid_with_that_points_settings(small: Path) -> None:
    tuning = tuning_of(small, AXIS, "one_at_a_time={student.training.clip: [2]}")
    assert tuning.points == [f"[strength={s}{clip}]" for s in (0, 1) for clip in ("", ",clip=2")]
    assert Counter((trial.point, trial.arm) for trial in tuning.trials) == dict.fromkeys(
        ((point, arm) for point in tuning.points for arm in ARMS), 6
    )
    for trial in tuning.trials:
        for key in trial.students.values():
            spec = training(tuning, key)
            assert spec.training
            assert spec.training.learning_rate == trial.values["student.training.learning_rate"]
            assert (spec.training.clip == 2) == ("clip=2" in trial.point)
    plain = {(trial.arm, *trial.values.values()): trial.students for trial in tuning_of(small, STRENGTH).trials}
    here = [trial for trial in tuning.trials if trial.point == "[strength=1]"]
    assert {(trial.arm, *trial.values.values()): trial.students for trial in here} == plain


def test_a_student_that_points_share_is_planned_once(small: Path) -> None:
    """Under `blend` the strength of the curriculum does nothing to an arm of shuffled data and one teacher."""
    tuning = tuning_of(small, AXIS, tune=f"{{space: {SPACE}, seeds: [100], arms: [standard_kd, clpd]}}")
    trained = Counter(trial.arm for trial in tuning.trials for _ in trial.students)
    assert trained == {"standard_kd": 12, "clpd": 12}
    mine = {arm: {key for t in tuning.trials if t.arm == arm for key in t.students.values()} for arm in trained}
    assert {arm: len(keys) for arm, keys in mine.items()} == {"standard_kd": 6, "clpd": 12}
    assert len(tuning.students) == 18
    assert set(tuning.students) == {key for key, job in tuning.plan.jobs.items() if job.label.startswith("student")}


def test_only_the_arms_that_are_named_are_tuned(small: Path) -> None:
    tuning = tuning_of(small, tune=f"{{space: {SPACE}, seeds: [100], arms: [clpd, sft]}}")
    assert {trial.arm for trial in tuning.trials} == {"clpd", "sft"}
    assert {cell.name for cell in tuning.plan.cells} == {"clpd", "sft"}


def test_a_student_that_diverges_is_kept_under_the_same_key(small: Path) -> None:
    tuning = tuning_of(small)
    assert {training(tuning, key).on_divergence for t in tuning.trials for key in t.students.values()} == {"keep_last"}
    same = build_plan(load_untuned(small, ["seeds=[100, 101]"]), small)
    keys = {cell.model for cell in same.cells if cell.name == "clpd"}
    (base,) = (t for t in tuning.trials if t.arm == "clpd" and list(t.values.values()) == [1e-3, 0])
    assert set(base.students.values()) == keys


def test_a_space_that_reaches_no_student_is_refused(small: Path) -> None:
    with pytest.raises(UserError, match=r"no student depends on student\.training\.micro_batch_tokens"):
        tuning_of(small, tune="{space: {student.training.micro_batch_tokens: [64, 128]}, seeds: [9]}")


def test_a_file_without_tune_is_told_what_to_write(small: Path) -> None:
    with pytest.raises(UserError, match=r"no `tune:`.*tune: \{space:"):
        plan_tuning(load_untuned(small), small)
