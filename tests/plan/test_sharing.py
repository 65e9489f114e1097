"""What several cells need is one job, and parents stand before their children."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def test_two_arms_of_equal_content_share_one_student(small: Path) -> None:
    planned = plan_of(small, "arms.again={order: easy_to_hard, teachers: weak_to_strong}")
    ours, again = ([c for c in planned.cells if c.name == name] for name in ("clpd", "again"))
    assert [(c.seed, c.model, c.evaluations) for c in ours] == [(c.seed, c.model, c.evaluations) for c in again]
    assert set(planned.jobs) == set(plan_of(small).jobs)


def test_arms_of_one_seed_start_from_the_same_weights_and_seeds_do_not(small: Path) -> None:
    planned = plan_of(small)
    starts = {c.seed: set[str]() for c in planned.cells}
    for cell in planned.cells:
        starts[cell.seed].add(planned.jobs[cell.model].parents["initial"])
    assert [len(keys) for keys in starts.values()] == [1, 1]
    assert starts[0] != starts[1]


def test_a_teachers_targets_are_computed_once_for_all_cells(small: Path) -> None:
    planned = plan_of(small, "seeds=[0, 1, 2]")
    assert Counter(job.kind for job in planned.jobs.values()) == {
        "corpus": 2,
        "difficulty": 1,
        "model": 2 + 3 + 15,  # teachers, starts by seed, students
        "targets": 2,
        "evaluation": 15 + 3 + 2 + 2,  # students, starts, teachers, teachers on validation items
    }
    strong = {planned.jobs[c.model].parents["targets.1"] for c in planned.cells if c.name == "standard_kd"}
    last = {planned.jobs[c.model].parents["targets.2"] for c in planned.cells if c.name == "clpd"}
    assert strong == last
    assert len(strong) == 1


def test_sft_reads_no_targets_and_a_shuffled_arm_no_difficulty(small: Path) -> None:
    planned = plan_of(small)
    roles = {c.name: set(planned.jobs[c.model].parents) for c in planned.cells}
    assert roles["sft"] == {"corpus", "initial"}
    assert roles["standard_kd"] == {"corpus", "initial", "targets.1"}
    assert roles["data_ordering"] == {"corpus", "initial", "targets.1", "difficulty"}
    assert roles["clpd"] == {"corpus", "initial", "targets.1", "targets.2", "difficulty"}


def test_parents_stand_before_their_children(small: Path) -> None:
    planned = plan_of(small, "student.initial=small")
    seen: set[str] = set()
    for key, job in planned.jobs.items():
        assert set(job.parents.values()) <= seen
        seen.add(key)


def test_ancestors_and_descendants_are_two_ends_of_one_relation(small: Path) -> None:
    planned = plan_of(small)
    for a in planned.jobs:
        for b in planned.jobs:
            assert (a in planned.ancestors(b)) == (b in planned.descendants(a))


def test_the_student_before_and_every_teacher_are_evaluated_beside_the_arms(small: Path) -> None:
    fresh = [(r.name, r.seed) for r in plan_of(small).references]
    assert fresh == [("student before", 0), ("student before", 1), ("teacher small", -1), ("teacher large", -1)]
    shared = [(r.name, r.seed) for r in plan_of(small, "student.initial=small").references]
    assert shared == [("student before", -1), ("teacher small", -1), ("teacher large", -1)]


def test_an_arm_with_a_student_of_its_own_has_a_reference_of_its_own(small: Path) -> None:
    planned = plan_of(small, "arms.clpd.differs={student.initial.hidden_size: 12}")
    found = [(r.name, r.seed) for r in planned.references]
    assert len(set(found)) == len(found)
    assert [f for f in found if "student" in f[0]] == [
        ("student before", 0),
        ("student before", 1),
        ("student before (clpd)", 0),
        ("student before (clpd)", 1),
    ]
