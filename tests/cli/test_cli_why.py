"""`show --why`: what is new since the last artifact, and what would run again; trains nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.watch import why
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.keys import job_key
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.specs import SPECS
from clpd_bench.store import Store

ROW = '{{"question": "q{0}", "answer": "{0}", "why": "w{0}"}}\n'


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("CLPD_STORE", str(tmp_path / "store"))
    return Store(tmp_path / "store")


def clpd(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def planned(file: Path, *sets: str, corpus: bool = True) -> Plan:
    """The plan, stored as `clpd plan` stores it, with its tiny corpora."""
    clpd("plan", file, *(part for one in sets for part in ("--set", one)), *(["--corpus"] if corpus else []))
    return build_plan(load_ablation(file, list(sets)), file)


def publish(plan: Plan, store: Store, *kinds: str) -> None:
    """Empty artifacts with the manifests that a worker writes."""
    for key, job in plan.jobs.items():
        if job.kind in kinds and not store.is_done(key):
            attempt = store.claim(key)
            assert attempt
            with attempt:
                attempt.publish({**vars(job), "spec": job.spec.model_dump(mode="json")})


EVERY = ("model", "targets", "evaluation")


def test_a_manifest_says_all_that_its_key_is_made_of(small: Path, store: Store) -> None:
    clpd("plan", small, "--corpus")
    folders = list((store.root / "artifacts").iterdir())
    assert len(folders) == 3
    for folder in folders:
        m = json.loads((folder / "manifest.json").read_text())
        spec = SPECS[m["kind"]].model_validate(m["spec"])
        assert job_key(m["kind"], spec, m["parents"], m["code"], m["libraries"]) == folder.name


def test_changed_bytes_of_a_data_file_are_the_cause(small: Path, store: Store) -> None:
    for name, rows in (("train", range(60)), ("test", range(100, 110))):
        (small.parent / f"{name}.jsonl").write_text("".join(ROW.format(i) for i in rows))
    source = "{name: chained_sums, operations: [1, 3], train: 60, validation: 10, test: 12}"
    jsonl = "{name: jsonl, train: train.jsonl, test: test.jsonl, rationale: why, validation: 0.3}"
    small.write_text(small.read_text().replace(source, jsonl, 1).replace("characters", "{name: bpe}", 1))
    clpd("plan", small, "--corpus")
    (small.parent / "train.jsonl").write_text("".join(ROW.format(i) for i in range(61)))
    key = planned(small, corpus=False).corpora["sums"]
    text = clpd("show", key, "--why")
    assert "  corpus sums: the bytes of train changed\nTo run for it (1):\n  corpus sums\n" in text
    clpd("plan", small, "--corpus")
    assert clpd("show", key, "--why") == "corpus sums: nothing is new; all that it needs is in the store.\n"


def found(name: str) -> Any:
    return json.loads(clpd("show", name, "--why", "--json"))


def test_a_cell_without_any_artifact_is_all_new(small: Path, store: Store) -> None:
    planned(small)
    assert "nothing was made for it before" in clpd("show", "clpd/0", "--why")
    assert found("clpd/0")["new"] == []


def test_a_cell_that_is_done_has_nothing_new(small: Path, store: Store) -> None:
    publish(planned(small), store, *EVERY)
    assert clpd("show", "clpd/0", "--why").startswith("small/clpd/0: nothing is new; all")
    assert found("clpd/0")["runs_again"] == []


def test_a_teachers_setting_is_the_cause_and_what_needs_it_runs_again(small: Path, store: Store) -> None:
    publish(planned(small), store, *EVERY)
    planned(small, "models.small.training.learning_rate=4e-3")
    now = found("clpd/0")
    sentence = "teacher small: settings: training.learning_rate was 0.001, is 0.004"
    assert [cause["sentence"] for cause in now["new"]] == [sentence]
    assert [job["label"] for job in now["runs_again"]] == [
        "model small",
        "targets of small on sums",
        "student clpd/0",
        "evaluation clpd/0 on sums",
    ]
    assert list(now["before"]) == ["student clpd/0", "evaluation clpd/0 on sums"]
    assert found("standard_kd/0")["runs_again"] == []


def test_a_cell_is_compared_with_its_own_ablation_arm_and_seed(small: Path, store: Store) -> None:
    other = small.with_name("other.yaml")
    other.write_text(small.read_text())
    publish(planned(other, "student.training.learning_rate=0.5"), store, *EVERY)
    planned(small)
    assert found("small/clpd/0")["before"] == {}


def test_a_teacher_is_compared_with_its_own_ablations_alone(small: Path, store: Store) -> None:
    other = small.with_name("other.yaml")
    other.write_text(small.read_text())
    publish(planned(other, "models.small.seed=7"), store, "model")
    mine = next(job.key for job in planned(small).jobs.values() if job.label == "model small")
    assert found(mine)["before"] == {}


def test_the_last_artifact_is_the_newest_made_and_not_the_newest_planned(
    small: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {"first": "0.25", "second": "0.5"}
    plans = {name: planned(small, f"student.training.learning_rate={rate}") for name, rate in rates.items()}
    for plan in plans.values():
        publish(plan, store, *EVERY)
    made = {plan.cells[0].model: f"2020-01-0{day}" for day, plan in enumerate(plans.values(), start=1)}
    monkeypatch.setattr(why, "store_time", lambda _, key: made.get(key, "2019"))
    planned(small, "student.training.learning_rate=0.25")
    planned(small)
    assert found("sft/0")["new"][0]["text"] == "settings: training.learning_rate was 0.5, is 0.001"


def test_evaluation_alone_runs_again_for_its_own_setting(small: Path, store: Store) -> None:
    publish(planned(small), store, *EVERY)
    planned(small, "evaluation.batch_size=8")
    now = found("clpd/0")
    assert [job["kind"] for job in now["runs_again"]] == ["evaluation"]
    assert [cause["text"] for cause in now["new"]] == ["settings: batch_size was 64, is 8"]


def test_what_was_never_made_is_not_told_as_new(small: Path, store: Store) -> None:
    publish(planned(small), store, "model", "targets")
    assert clpd("show", "clpd/0", "--why").startswith("small/clpd/0: nothing is new; the rest has never been made.")


def test_code_that_changed_behind_the_plan_is_told(small: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(small)
    monkeypatch.setattr(why, "code_version", lambda kind: "99" if kind == "targets" else "1")
    now = found("clpd/0")["plan_outdated"]
    assert "The code of kind targets has changed since this plan" in now
    assert "clpd plan" in clpd("show", "clpd/0", "--why")


def test_a_file_that_changed_behind_the_plan_is_told(small: Path, store: Store) -> None:
    planned(small)
    assert found("clpd/0")["plan_outdated"] == []
    newest = store.plans()[0].stat().st_mtime
    os.utime(small, (newest + 5, newest + 5))
    assert found("clpd/0")["plan_outdated"] == [f"{small} is newer than this plan"]


def test_plans_of_a_version_with_other_settings_are_passed_over(small: Path, store: Store) -> None:
    plan = planned(small)
    stale = plan.to_json()
    stale["jobs"][0]["spec"]["corpus"]["of_old"] = 1
    store.write_plan(stale)
    assert found("clpd/0")["name"] == "small/clpd/0"


def test_a_job_keeps_its_code_version_in_the_stored_plan(small: Path, store: Store) -> None:
    plan = planned(small)
    for file in store.plans():
        jobs: dict[str, Job] = Plan.from_json(json.loads(file.read_text())).jobs
        for key, job in jobs.items():
            assert job_key(job.kind, job.spec, job.parents, job.code, job.libraries) == key
    assert {job.code for job in plan.jobs.values()} != {""}
