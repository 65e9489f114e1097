"""What each job costs: sums that can be done by hand, and what is not known, said so."""

from __future__ import annotations

from pathlib import Path

import pytest
from declared_file import ablation, written

from clpd_bench.costs.cost import JobCost
from clpd_bench.costs.inputs import Sources
from clpd_bench.costs.jobs import job_costs
from clpd_bench.costs.of_plan import plan_cost
from clpd_bench.flops.passes import total
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.prepare import make_data
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

SMALL = Path(__file__).parents[2] / "settings" / "small.yaml"


def planned(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def by_label(plan: Plan, store: Store) -> dict[str, JobCost]:
    costs = job_costs(Sources(plan, store))
    return {plan.jobs[key].label: cost for key, cost in costs.items()}


def test_a_student_by_hand(declared: Path, tmp_path: Path) -> None:
    cost = by_label(planned(declared), Store(tmp_path / "s"))["student sft/0"]
    layer = 896 * (896 + 2 * 128) + 896 * 896 + 3 * 896 * 4864
    shown, length = 2 * 6000, 239  # the last token predicts nothing
    layers = 6 * 24 * layer * shown * length
    attention = 12 * 24 * 896 * shown * length**2
    head = 6 * 151936 * 896 * shown * 140
    looks = 2 * 700
    validation = 2 * 24 * layer * looks * length + 4 * 24 * 896 * looks * length**2 + 2 * 151936 * 896 * looks * 140
    assert cost.total == pytest.approx(layers + attention + head + validation, rel=1e-12)
    assert cost.parameters == 494_032_768
    assert cost.estimated


def test_targets_cost_a_forward_pass_of_the_teacher_over_the_training_split(declared: Path, tmp_path: Path) -> None:
    costs = by_label(planned(declared), Store(tmp_path / "s"))
    targets, live = costs["targets of tuned on math"], costs["student standard_kd/0"].alone
    # Two epochs, live, are twice what targets are once.
    assert total(live) == pytest.approx(2 * targets.total, rel=1e-12)  # type: ignore[operator]


def test_an_evaluation_costs_a_pass_over_its_own_split(tmp_path: Path) -> None:
    """The same examples as test items, and as validation items, of a benchmark that generates nothing."""
    plan = planned(SMALL, "evaluation.benchmarks.sums={corpus: sums}", "corpora.sums.source.validation=240")
    store = Store(tmp_path / "s")
    make_data(plan, store)
    costs = by_label(plan, store)
    validated, tested = costs["validation of teacher small on sums"], costs["evaluation teacher small on sums"]
    assert validated.total > 10 * tested.total  # type: ignore[operator]  # 240 items against 12


def test_live_teachers_are_paid_by_each_student(declared: Path, tmp_path: Path) -> None:
    stored, live = (
        by_label(planned(declared, f"targets={{live: {live}}}"), Store(tmp_path / "s")) for live in ("false", "true")
    )
    before, after = stored["student standard_kd/0"], live["student standard_kd/0"]
    assert after.total == pytest.approx(before.total + total(before.alone), rel=1e-12)  # type: ignore[operator]
    assert any(term.what == "weights of live teacher 1" for term in after.peak.terms)  # type: ignore[union-attr]


def test_what_nothing_tells_is_unknown_and_named(tmp_path: Path) -> None:
    costs = by_label(planned(written(tmp_path, ablation(student=None))), Store(tmp_path / "s"))
    student = costs["student sft/0"]
    assert student.total is None
    assert "the dimensions of student sft/0" in student.unknown
    assert costs["model tuned"].total
    plan = planned(SMALL)
    assert "make it with --corpus" in by_label(plan, Store(tmp_path / "s"))["model small"].unknown
    assert plan_cost(plan, Store(tmp_path / "s"), None).naive is None


def test_what_is_counted_is_no_estimate_but_for_the_lengths_of_outputs(tmp_path: Path) -> None:
    plan, store = planned(SMALL), Store(tmp_path / "s")
    make_data(plan, store)
    costs = by_label(plan, store)
    assert not any(cost.unknown for cost in costs.values())
    assert {label.split()[0] for label, cost in costs.items() if cost.estimated} == {"evaluation"}


def test_sharing_saves_what_cells_alone_would_pay(declared: Path, tmp_path: Path) -> None:
    plan, store = planned(declared), Store(tmp_path / "s")
    naive = plan_cost(plan, store, None).naive
    costs = by_label(plan, store)
    assert naive

    def of(label: str) -> float:
        return costs[label].total or 0.0

    students = sum(of(f"student {arm}/{seed}") for arm in ("sft", "standard_kd") for seed in (0, 1))
    evaluations = sum(of(f"evaluation {arm}/{seed} on math") for arm in ("sft", "standard_kd") for seed in (0, 1))
    live = 2 * total(costs["student standard_kd/0"].alone)
    assert naive.given[1] == pytest.approx(students + evaluations + live, rel=1e-12)
    assert naive.planned == pytest.approx(
        students + evaluations + of("targets of tuned on math") + of("model tuned"), rel=1e-12
    )
    assert naive.alone == pytest.approx(naive.given[1] + 2 * of("model tuned"), rel=1e-12)
