"""A plug-in's bytes, function and arguments are in the keys of the jobs that use it, and in no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clpd_bench.grid.cells import cells
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.differences import compared_pairs, differences
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.specs import ModelSpec

LOSS, DIFFICULTY, PACING, TEACHERS, CORPUS = (
    '{name: "mine.py:reverse_kl", gap: 0.01, ce_weight: 0.1}',
    '{name: "mine.py:rare_digits", floor: 5}',
    '{name: "mine.py:fading", reach: 0.5}',
    '{name: "mine.py:late", alone: 1}',
    '{name: "mine.py:comparisons", train: 300, highest: 20, columns: [distance]}',
)
BUILT_IN = {
    LOSS: "{name: forward_kl}",
    DIFFICULTY: "cot_tokens",
    PACING: "blend:0.5",
    TEACHERS: "last_teacher",
    CORPUS: "{name: chained_sums, train: 300}",
}


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def alone(example: Path, plugin: str) -> Path:
    """The example with this plug-in and built-in things for the others."""
    text = example.read_text()
    for other, instead in BUILT_IN.items():
        assert other in text
        text = text if other == plugin else text.replace(other, instead)
    example.write_text(text)
    return example


def own_settings_changed(before: Plan, after: Plan) -> set[str]:
    """Labels of jobs whose key is new though their parents' are not."""
    return {
        new.label
        for old, new in zip(before.jobs.values(), after.jobs.values(), strict=True)
        if old.key != new.key and old.parents == new.parents
    }


USERS = [
    (LOSS, {f"student {arm}/{seed}" for arm in ("standard_kd", "clpd", "late") for seed in (0, 1)}),
    (PACING, {f"student {arm}/{seed}" for arm in ("clpd", "late") for seed in (0, 1)}),
    (TEACHERS, {f"student late/{seed}" for seed in (0, 1)}),
    (DIFFICULTY, {"difficulty mine.py:rare_digits(floor=5) of comparisons"}),
    (CORPUS, {"corpus comparisons"}),
]
IDS = ["loss", "pacing", "teacher rule", "difficulty", "corpus"]


@pytest.mark.parametrize(("plugin", "users"), USERS, ids=IDS)
def test_the_files_bytes_are_in_the_keys_that_use_it_alone(example: Path, plugin: str, users: set[str]) -> None:
    file = alone(example, plugin)
    before = plan_of(file)
    mine = example.with_name("mine.py")
    mine.write_text(mine.read_text() + "# a remark\n")
    assert own_settings_changed(before, plan_of(file)) == users


@pytest.mark.parametrize(
    ("plugin", "users", "changed"),
    [
        (*user, changed)
        for user, changed in zip(
            USERS,
            [
                "loss.gap=0.02",
                "curriculum.pacing.reach=0.6",
                "arms.late.teachers.alone=2",
                "curriculum.difficulty.floor=4",
                "corpora.comparisons.source.highest=21",
            ],
            strict=True,
        )
    ],
    ids=IDS,
)
def test_an_argument_is_in_the_keys_that_use_it_alone(
    example: Path, plugin: str, users: set[str], changed: str
) -> None:
    file = alone(example, plugin)
    changes = own_settings_changed(plan_of(file), plan_of(file, changed))
    assert {label.replace("floor=4", "floor=5") for label in changes} == users


def test_where_the_file_lies_and_its_name_are_in_no_key(example: Path) -> None:
    before = plan_of(example)
    elsewhere = example.with_name("folder")
    elsewhere.mkdir()
    example.with_name("mine.py").rename(elsewhere / "yours.py")
    example.write_text(example.read_text().replace("mine.py:", "folder/yours.py:"))
    assert list(plan_of(example).jobs) == list(before.jobs)


def test_another_function_of_the_same_file_is_another_key(example: Path) -> None:
    mine = example.with_name("mine.py")
    mine.write_text(mine.read_text() + "\n\ndef later(stage, stages, teachers, *, alone=1):\n    return teachers\n")
    before = plan_of(example)
    example.write_text(example.read_text().replace("mine.py:late", "mine.py:later"))
    assert own_settings_changed(before, plan_of(example)) == {"student late/0", "student late/1"}


def test_a_plan_with_plugins_read_back_from_json_is_equal(example: Path) -> None:
    planned = plan_of(example, "arms.late.differs={loss.gap: 0.5}", "analysis.family=[clpd]")
    assert Plan.from_json(json.loads(json.dumps(planned.to_json()))) == planned


def test_a_declared_argument_is_a_declared_difference(example: Path) -> None:
    file = load_ablation(example, ["arms.late.differs={loss.gap: 0.5, curriculum.pacing.reach: 0.6}"])
    baseline, late = next(p for p in compared_pairs(file, cells(file, "example")) if p[1].arm_name == "late")
    found = {d.key: (d.first, d.second) for d in differences(baseline, late)}
    assert found["loss.gap"] == (0.01, 0.5)
    assert found["curriculum.pacing.reach"] == (0.5, 0.6)
    assert set(found) == {"order", "teachers", "loss.gap", "curriculum.pacing.reach"}


@pytest.mark.parametrize(("asks", "stages"), [("stage", 3), ("stages", 3), ("step", None)])
def test_a_loss_that_asks_for_the_stage_gives_stages_to_each_taught_student(
    example: Path, asks: str, stages: int | None
) -> None:
    """Shuffled, with one teacher throughout, it would be of one stage; one without a teacher has another loss."""
    example.with_name("staged.py").write_text(f"def mixed(logits, labels, targets, *, {asks}): ...\n")
    plan = plan_of(
        example,
        "loss={name: 'staged.py:mixed'}",
        "arms.late={order: shuffled, teachers: strongest}",
        "arms.sft={order: shuffled, teachers: none}",
    )
    found = {cell.name: plan.jobs[cell.model].spec for cell in plan.cells}
    assert {name: spec.supervision.stages for name, spec in found.items() if name in ("late", "sft")} == {
        "late": stages,
        "sft": None,
    }


def test_a_teacher_rule_goes_by_stage_whether_it_has_one_teacher_or_two(example: Path) -> None:
    """Its stages without a teacher are not weak_to_strong's, which one teacher makes one throughout."""
    for teachers in ("[large]", "[small, large]"):
        plan = plan_of(example, f"teachers={teachers}", "arms.late.order=shuffled")
        spec = plan.jobs[next(cell.model for cell in plan.cells if cell.name == "late")].spec
        assert isinstance(spec, ModelSpec)
        assert spec.supervision
        assert isinstance(spec.supervision.rule, Plugin)
        assert spec.supervision.stages == 3
