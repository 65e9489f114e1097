"""Each teacher is evaluated on validation items once, before any student, in every point's own order."""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan, point_plans
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.specs import BenchmarkSpec, EvaluationSpec

ACCURACY = "analysis.primary={benchmark: sums, metric: exact_match}"
TASK = "evaluation.benchmarks.named={task: gsm8k}"
OF_TASK = "analysis.primary={benchmark: named, metric: exact_match, filter: strict-match}"


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def validated(plan: Plan) -> dict[str, EvaluationSpec]:
    """By label: the evaluations of anything but test items."""
    specs = {job.label: job.spec for job in plan.jobs.values() if isinstance(job.spec, EvaluationSpec)}
    return {label: spec for label, spec in specs.items() if spec.split != "test"}


def test_each_teacher_is_validated_by_the_primary_metric_on_the_corpus_of_the_primary_benchmark(small: Path) -> None:
    for sets, generates in (([], None), ([ACCURACY], 24)):
        plan = plan_of(small, *sets)
        (ladder,) = plan.ladders
        assert (ladder.corpus, ladder.metric) == ("sums", "exact_match" if generates else "response_loss")
        labels = ["validation of teacher small on sums", "validation of teacher large on sums"]
        assert [plan.jobs[key].label for _, key in ladder.teachers] == labels
        assert list(validated(plan)) == labels
        for name, key in ladder.teachers:
            job = plan.jobs[key]
            assert plan.jobs[job.parents["model"]].label == f"model {name}"
            assert job.parents["corpus"] == plan.corpora["sums"]
            assert isinstance(job.spec, EvaluationSpec)
            assert isinstance(job.spec.benchmark, BenchmarkSpec)
            assert job.spec.benchmark.max_new_tokens == generates


def test_where_the_primary_benchmark_is_a_task_teachers_are_validated_by_loss_on_the_students_corpus(
    small: Path,
) -> None:
    plan = plan_of(small, TASK, OF_TASK, "student.corpus=many")
    (ladder,) = plan.ladders
    assert (ladder.corpus, ladder.metric, ladder.filter) == ("many", "response_loss", None)
    assert {plan.jobs[key].parents["corpus"] for _, key in ladder.teachers} == {plan.corpora["many"]}


@pytest.mark.parametrize(
    "sets",
    [
        ["teachers=[large]"],
        ["arms={a: {order: shuffled, teachers: none}, b: {order: easy_to_hard, teachers: none}}",
         "analysis.baseline=a", "analysis.family=[b]"],
    ],
    ids=["one teacher", "nobody is taught"],
)  # fmt: skip
def test_nothing_is_validated_where_no_teachers_can_be_in_a_wrong_order(small: Path, sets: list[str]) -> None:
    plan = plan_of(small, *sets)
    assert plan.ladders == []
    assert validated(plan) == {}


def test_teachers_are_validated_before_any_student_is_trained(small: Path) -> None:
    labels = [job.label for job in plan_of(small).jobs.values()]
    students = [place for place, label in enumerate(labels) if label.startswith("student ")]
    assert max(labels.index(label) for label in validated(plan_of(small))) < min(students)


def test_no_result_is_one_of_validation_items(small: Path) -> None:
    plan = plan_of(small)
    shown = {key for one in [*plan.cells, *plan.references] for key in one.evaluations.values()}
    assert shown.isdisjoint({key for ladder in plan.ladders for _, key in ladder.teachers})
    assert set(plan.declaration["evaluations"]) <= shown


def test_each_point_of_a_grid_has_its_own_order_and_shares_the_evaluations(small: Path) -> None:
    ablation = load_ablation(small, ["axes={teachers: [[small, large], [large, small]]}"])
    points, plan = point_plans(ablation, small), build_plan(ablation, small)
    assert [ladder for one in points for ladder in one.plan.ladders] == plan.ladders
    first, second = plan.ladders
    assert first.teachers == second.teachers[::-1]
    assert [one.point for one in plan.ladders] == [one.point.label for one in points]
    assert len(validated(plan)) == 2
