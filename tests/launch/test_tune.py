"""`clpd tune` as it is typed: resumed, on validation items alone, what it writes is what a plan then reads."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from launch_run import TINY, Run

from clpd_bench.grid.load import load_ablation, load_untuned
from clpd_bench.launch.prepare import make_data
from clpd_bench.plan.tuning import Tuning, plan_tuning
from clpd_bench.store import Store

RATE = "student.training.learning_rate"
TUNE = f"tune: {{space: {{{RATE}: [1e-3, 1e-2]}}, seeds: [100, 101], arms: [standard_kd, clpd]}}\n"
ONE_STUDENT = f"tune: {{space: {{{RATE}: [1e-2]}}, seeds: [101], arms: [standard_kd]}}\n"


class TuneRun(Run):
    """The tiny ablation in a folder of its own, with `tune:`, and its verbs on that file; with the store of another, if
    one is given."""

    def __init__(self, folder: Path, tune: str = TUNE, other: Run | None = None) -> None:
        super().__init__(folder, Path(shutil.copy(TINY, folder / "tiny.yaml")))
        self.file.write_text(self.file.read_text() + tune)
        self.tuned = folder / "tiny.tuned.yaml"
        if other:
            shutil.copytree(other.store, self.store)

    def tuning(self) -> Tuning:
        return plan_tuning(load_untuned(self.file), self.file)

    def trained(self) -> set[str]:
        return {label for label in self.manifests() if label.startswith("student")}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TuneRun:
    """One that is finished."""
    run = TuneRun(tmp_path_factory.mktemp("tune"))
    run.said = run("tune").stdout  # type: ignore[attr-defined]
    return run


@pytest.fixture
def written(run: TuneRun) -> Any:
    return yaml.safe_load(run.tuned.read_text())


def test_chosen_is_the_best_of_the_scores_that_the_students_manifests_hold(run: TuneRun, written: Any) -> None:
    manifests = {manifest["key"]: manifest for manifest in run.manifests().values()}
    assert set(written["points"]["base"]) == {"standard_kd", "clpd"}
    for arm in written["points"]["base"].values():
        means = []
        for trial in arm["trials"]:
            scores = {seed: manifests[key]["details"]["validation"] for seed, key in trial["students"].items()}
            assert trial["scores"] == {seed: score["response_loss"] for seed, score in scores.items()}
            means.append(sum(trial["scores"].values()) / 2)
        best = arm["trials"][means.index(min(means))]
        assert arm["chosen"] == best["values"]
        assert arm["mean"] == pytest.approx(min(means))


def test_every_arm_had_the_same_budget(written: Any) -> None:
    budgets = [arm["budget"] for arm in written["points"]["base"].values()]
    assert budgets[0] == budgets[1] == {"trials": 2, "seeds": 2, "students": 4, "steps": 240, "tokens": 4 * 15360}


def test_nothing_is_evaluated_and_reported_seeds_are_not_trained(run: TuneRun) -> None:
    assert not [label for label in run.manifests() if label.startswith("evaluation")]
    assert {label.rsplit("/")[-1] for label in run.trained()} == {"100", "101"}


def test_what_is_written_is_what_a_plan_reads(run: TuneRun, written: Any) -> None:
    told = f"Next: add `tuned: tiny.tuned.yaml` to {run.file}, then clpd plan {run.file}"
    assert told in run.said  # type: ignore[attr-defined]
    ablation = load_ablation(run.file, ["tuned=tiny.tuned.yaml"])
    assert ablation.chosen == {"base": {name: arm["chosen"] for name, arm in written["points"]["base"].items()}}


def test_typed_again_it_trains_nothing_and_writes_the_same_bytes(run: TuneRun) -> None:
    before, attempts = run.tuned.read_bytes(), sorted(map(str, run.store.glob("attempts/*/*")))
    run("tune")
    assert run.tuned.read_bytes() == before
    assert sorted(map(str, run.store.glob("attempts/*/*"))) == attempts


def test_a_real_run_makes_nothing_again_that_tuning_has_made(run: TuneRun) -> None:
    found = json.loads(run("plan", "--json").stdout)["jobs"]
    done = {job["label"] for job in found if job["done"]}
    assert {"corpus sums", "model small", "model large", "targets of small on sums", "targets of large on sums"} <= done


def test_store_gc_keeps_the_trials_of_a_file_that_tunes(run: TuneRun) -> None:
    going = run.typed("store", "gc", str(run.file), "--json")
    garbage = [one["path"] for one in json.loads(going.stdout)["garbage"] if "/artifacts/" in one["path"]]
    assert garbage == []


def test_json_holds_the_file_and_its_content(run: TuneRun, written: Any) -> None:
    found = json.loads(run("tune", "--json").stdout)
    assert found["file"] == str(run.tuned)
    assert found["points"]["base"]["clpd"]["chosen"] == written["points"]["base"]["clpd"]["chosen"]
    assert [sentence for sentence in found["warnings"] if "data_ordering, teacher_scheduling are compared" in sentence]


def test_no_item_of_the_test_split_is_read(tmp_path: Path, written: Any) -> None:
    """With the corpora made, whose job writes all three splits, the test splits are taken away."""
    run = TuneRun(tmp_path, ONE_STUDENT.replace("standard_kd", "clpd"))
    make_data(run.tuning().plan, Store(run.store))
    splits = list(run.store.glob("artifacts/*/test.parquet"))
    assert splits
    for file in splits:
        file.unlink()
    run("tune")
    (trial,) = yaml.safe_load(run.tuned.read_text())["points"]["base"]["clpd"]["trials"]
    (same,) = (one for one in written["points"]["base"]["clpd"]["trials"] if one["values"] == trial["values"])
    assert trial["scores"] == {101: same["scores"][101]}


def test_an_interrupted_tuning_goes_on_and_says_the_same(run: TuneRun, tmp_path: Path) -> None:
    other = TuneRun(tmp_path, other=run)
    other.forget("student")
    asked = itertools.count()
    other.should_stop = lambda: next(asked) > 100  # in the middle of the second student
    done = other("tune", check=False)
    assert done.returncode == 130
    assert "the same command goes on from here" in done.stderr
    assert not other.tuned.exists()
    stopped = other.trained()
    assert 1 <= len(stopped) < 8
    other.should_stop = lambda: False
    attempts = {label: (other.store / "attempts" / other.manifests()[label]["key"]) for label in stopped}
    before = {label: len(list(folder.iterdir())) for label, folder in attempts.items()}
    other("tune")
    assert {label: len(list(folder.iterdir())) for label, folder in attempts.items()} == before
    mine, theirs = (yaml.safe_load(file.read_text())["points"]["base"] for file in (other.tuned, run.tuned))
    assert mine == theirs


def test_a_student_that_diverges_is_the_worst_trial_and_none_to_run_again(tmp_path: Path, run: TuneRun) -> None:
    run = TuneRun(tmp_path, ONE_STUDENT.replace("1e-2", "1e+30, 1e-2"), run)
    said = run("tune").stdout
    (arm,) = yaml.safe_load(run.tuned.read_text())["points"]["base"].values()
    wild, mild = arm["trials"]
    assert (wild["mean"], wild["diverged"], wild["n"]) == (None, 1, 1)
    assert mild["diverged"] == 0
    assert arm["chosen"] == {RATE: 0.01}
    assert "Trials that diverged, which counts as the worst score: standard_kd at 1e+30 (1 of 1)" in said


def test_a_failed_trial_is_told_and_may_be_tried_again(tmp_path: Path, run: TuneRun) -> None:
    run = TuneRun(tmp_path, ONE_STUDENT, run)
    run.forget("student")
    store, plan = Store(run.store), run.tuning().plan
    (key,) = (cell.model for cell in plan.cells)
    attempt = store.claim(key)
    assert attempt
    with attempt:
        attempt.fail(ValueError("no such luck"))
    done = run("tune", check=False)
    assert done.returncode == 1
    assert "no such luck" in done.stdout
    assert f"Next: clpd retry {run.file}, once the cause is gone, then clpd tune {run.file}" in done.stdout
    assert not run.tuned.exists()
    assert f"may run again: {plan.jobs[key].label}" in run("retry").stdout
    run("tune")
    assert run.tuned.exists()
