"""A key changes with all that can change the job's output, and with nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan import build
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.keys import canonical, job_key
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import DifficultySpec


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def rewritten(small: Path, *renames: tuple[str, str]) -> Path:
    """The file with names replaced wherever they stand as a whole word of the YAML tree."""
    names = dict(renames)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {names.get(k, k): walk(v) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(v) for v in value]
        if isinstance(value, str):
            name, colon, argument = value.partition(":")
            return f"{name}:{names.get(argument, argument)}" if colon else names.get(value, value)
        return value

    file = small.with_name("renamed.yaml")
    file.write_text(yaml.safe_dump(walk(yaml.safe_load(small.read_text().replace("1e-3", "0.001"))), sort_keys=False))
    return file


def jsonl_file(small: Path, folder: str, train: str) -> Path:
    """The file with a corpus read from `folder`, whose training data is `train`."""
    data = small.parent / folder
    data.mkdir(exist_ok=True)
    (data / "train.jsonl").write_text(train)
    (data / "test.jsonl").write_text('{"question": "t", "answer": "1", "why": "w"}\n')
    text = small.read_text().replace(
        "{name: chained_sums, operations: [1, 3], train: 60, validation: 10, test: 12}",
        f"{{name: jsonl, train: {folder}/train.jsonl, test: {folder}/test.jsonl, rationale: why}}",
    )
    file = small.with_name(f"{folder}.yaml")
    file.write_text(text)
    return file


ROW = '{"question": "q", "answer": "1", "why": "w"}\n'


@pytest.mark.parametrize(
    "renames",
    [
        [("small", "tiny"), ("large", "huge")],
        [("sums", "additions")],  # corpus, benchmark and same_as at once
        [("many", "more_of_them")],
        [("clpd", "ours"), ("standard_kd", "theirs"), ("sft", "plain")],
    ],
    ids=["models", "corpus and benchmark", "another corpus", "arms"],
)
def test_a_display_name_is_in_no_key(small: Path, renames: list[tuple[str, str]]) -> None:
    before, after = plan_of(small), plan_of(rewritten(small, *renames))
    assert [cell.evaluations.values() for cell in before.cells] != []
    assert list(before.jobs) == list(after.jobs)


def test_the_files_name_and_question_are_in_no_key(small: Path) -> None:
    other = Path(shutil.copy(small, small.with_name("other.yaml")))
    assert list(plan_of(other, "question=Another one?").jobs) == list(plan_of(small).jobs)


def test_where_a_data_file_lies_is_in_no_key_and_its_bytes_are(small: Path) -> None:
    here, there = jsonl_file(small, "here", ROW), jsonl_file(small, "there", ROW)
    assert list(plan_of(here).jobs) == list(plan_of(there).jobs)
    before = plan_of(here)
    (small.parent / "here" / "train.jsonl").write_text(ROW + "\n")
    after = plan_of(here)
    assert before.corpora["sums"] != after.corpora["sums"]
    assert {c.model for c in before.cells}.isdisjoint(c.model for c in after.cells)


def test_adding_a_seed_changes_no_existing_key(small: Path) -> None:
    before, after = plan_of(small), plan_of(small, "seeds=[0, 1, 2]")
    assert set(before.jobs) < set(after.jobs)
    kept = {cell.id: cell for cell in after.cells}
    assert [kept[cell.id] for cell in before.cells] == before.cells


def test_adding_a_seed_adds_the_jobs_of_that_seed_alone(small: Path) -> None:
    before, after = plan_of(small), plan_of(small, "seeds=[0, 1, 2]")
    assert {cell.seed for cell in after.cells if cell.id not in {c.id for c in before.cells}} == {2}
    new = [after.jobs[key] for key in after.jobs if key not in before.jobs]
    # Five students, the weights they start from, and an evaluation of each.
    assert sorted(job.label for job in new) == sorted(
        [
            "initial weights/2",
            "evaluation student before/2 on sums",
            *(
                text
                for arm in ("sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd")
                for text in (f"student {arm}/2", f"evaluation {arm}/2 on sums")
            ),
        ]
    )


@pytest.mark.parametrize("setting", ["micro_batch_tokens=16", "checkpoint_seconds=0.5"])
def test_what_only_changes_memory_or_restarts_is_in_no_key(small: Path, setting: str) -> None:
    sets = [f"{of}.training.{setting}" for of in ("student", "models.small", "models.large")]
    assert list(plan_of(small, *sets).jobs) == list(plan_of(small).jobs)


@pytest.mark.parametrize(
    "changed",
    [
        "student.training.learning_rate=2e-3",
        "student.training.epochs=1",
        "student.training.steps=7",
        "student.training.warmup_steps=1",
        "student.training.weight_decay=0.1",
        "student.training.clip=2",
        "student.training.betas=[0.9, 0.99]",
        "student.initial.hidden_size=12",
        "student.initial.initializer_range=0.02",
        "student.initial.name=qwen3",
        "corpora.sums.source.train=61",
        "corpora.sums.source.modulus=5",
        "corpora.sums.answer_marker='>'",
        "corpora.sums.prompt='{question} '",
    ],
)
def test_what_changes_a_student_changes_every_students_key(small: Path, changed: str) -> None:
    before, after = plan_of(small), plan_of(small, changed)
    assert {c.model for c in before.cells}.isdisjoint(c.model for c in after.cells)


@pytest.mark.parametrize(
    ("changed", "arms"),
    [
        ("loss.ce_weight=0.5", {"standard_kd", "data_ordering", "teacher_scheduling", "clpd"}),
        ("targets.top_k=3", {"standard_kd", "data_ordering", "teacher_scheduling", "clpd"}),
        ("models.large.seed=5", {"standard_kd", "data_ordering", "teacher_scheduling", "clpd"}),
        ("models.small.seed=5", {"teacher_scheduling", "clpd"}),
        ("models.small.training.learning_rate=0.5", {"teacher_scheduling", "clpd"}),
        ("curriculum.stages=3", {"data_ordering", "teacher_scheduling", "clpd"}),
        ("curriculum.pacing.strength=0.7", {"data_ordering", "clpd"}),
        ("curriculum.difficulty=column:operations", {"data_ordering", "clpd"}),
        ("teachers=[large]", {"teacher_scheduling", "clpd"}),
    ],
)
def test_a_change_reaches_the_students_that_it_can_change_and_no_others(
    small: Path, changed: str, arms: set[str]
) -> None:
    before, after = plan_of(small), plan_of(small, changed)
    touched = {b.name for b, a in zip(before.cells, after.cells, strict=True) if b.model != a.model}
    assert touched == arms


def test_evaluation_settings_change_evaluations_and_no_model(small: Path) -> None:
    before, after = plan_of(small), plan_of(small, "evaluation.batch_size=8")
    assert [c.model for c in before.cells] == [c.model for c in after.cells]
    assert {k for c in before.cells for k in c.evaluations.values()}.isdisjoint(
        k for c in after.cells for k in c.evaluations.values()
    )


def test_another_lm_eval_changes_evaluations_and_nothing_else(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan_of(small)
    monkeypatch.setattr(build, "version", lambda package: f"99 of {package}")
    after = plan_of(small)
    for old, new in zip(before.jobs.values(), after.jobs.values(), strict=True):
        assert (old.key != new.key) == (old.kind == "evaluation")


def test_another_code_version_changes_the_keys_of_its_kind_and_of_what_follows(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = plan_of(small)
    real = build.code_version
    monkeypatch.setattr(build, "code_version", lambda kind: "edited" if kind == "targets" else real(kind))
    after = plan_of(small)
    labels = {new.label for key, new in after.jobs.items() if key not in before.jobs}
    expected = {j.label for j in after.jobs.values() if j.kind == "targets"}
    for arm in ("standard_kd", "data_ordering", "teacher_scheduling", "clpd"):
        expected |= {
            f"{what} {arm}/{s}{on}" for s in (0, 1) for what, on in (("student", ""), ("evaluation", " on sums"))
        }
    assert labels == expected


def test_a_default_written_out_is_the_same_key(small: Path) -> None:
    spelled_out = plan_of(
        small,
        "corpora.sums.source.modulus=7",
        "corpora.sums.source.seed=0",
        "corpora.sums.prompt='{question}'",
        "models.small.seed=0",
        "models.small.initial.num_hidden_layers=2",
        "models.small.initial.intermediate_size=null",
        "models.large.training.epochs=1",
        "student.training.betas=[0.9, 0.95]",
        "student.training.clip=1",
        "student.training.stop=null",
        "loss.temperature=1",
        "targets={top_k: null, temperatures: [1]}",
        "evaluation.dtype=float32",
        "evaluation.benchmarks.sums.ignore=[]",
    )
    assert list(spelled_out.jobs) == list(plan_of(small).jobs)


def test_a_new_setting_with_a_default_would_change_no_key() -> None:
    class More(Training):
        invented: int = 3

    assert fingerprint(More(steps=2, learning_rate=1)) == fingerprint(Training(steps=2, learning_rate=1))
    assert fingerprint(More(steps=2, learning_rate=1, invented=4))["invented"] == 4


def test_a_key_is_a_function_of_kind_settings_parents_code_and_libraries() -> None:
    spec = DifficultySpec.model_validate({"difficulty": "cot_tokens"})
    other = DifficultySpec.model_validate({"difficulty": "column:x"})
    keys = [
        job_key("difficulty", spec, {"corpus": "a"}, "1", {}),
        job_key("corpus", spec, {"corpus": "a"}, "1", {}),
        job_key("difficulty", other, {"corpus": "a"}, "1", {}),
        job_key("difficulty", spec, {"corpus": "b"}, "1", {}),
        job_key("difficulty", spec, {"other": "a"}, "1", {}),
        job_key("difficulty", spec, {"corpus": "a"}, "2", {}),
        job_key("difficulty", spec, {"corpus": "a"}, "1", {"lm_eval": "1"}),
    ]
    assert len(set(keys)) == len(keys)
    assert job_key("difficulty", spec, {"corpus": "a", "b": "c"}, "1", {}) == job_key(
        "difficulty", spec, {"b": "c", "corpus": "a"}, "1", {}
    )


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": [1, 2], "a": {"d": 1, "c": 2}}) == canonical({"a": {"c": 2, "d": 1}, "b": [1, 2]})
    assert canonical([1, 2]) != canonical([2, 1])


def test_a_plan_read_back_from_json_is_equal(small: Path) -> None:
    for file, sets in (
        (small, []),
        (jsonl_file(small, "data", ROW), []),
        (small, ["arms.clpd.differs={student.training.betas: [0.8, 0.9]}", "analysis.family=[clpd]"]),
    ):
        planned = plan_of(file, *sets)
        assert Plan.from_json(json.loads(json.dumps(planned.to_json()))) == planned


def test_keys_do_not_depend_on_the_run_of_the_process(small: Path) -> None:
    assert plan_of(small) == plan_of(small)


def test_what_is_extracted_is_in_the_key_of_evaluations_and_of_nothing_else(small: Path) -> None:
    """And without it a benchmark has the key that it had before there was a choice."""
    plain, number = plan_of(small), plan_of(small, "evaluation.benchmarks.sums.extract=number")
    assert {job.kind for key, job in number.jobs.items() if key not in plain.jobs} == {"evaluation"}
    assert plan_of(small, "evaluation.benchmarks.sums.extract=none").jobs.keys() == plain.jobs.keys()
    spec = plain.jobs[plain.cells[0].evaluations["sums"]].spec
    assert fingerprint(spec) == {
        "benchmark": {"max_new_tokens": 24, "answer_marker": ":"},
        "batch_size": 64,
        "dtype": "float32",
    }
