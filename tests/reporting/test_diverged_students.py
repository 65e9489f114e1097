"""Students that diverged are outcomes: refused, kept or dropped as declared, and never in silence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from fabricated_report import SEEDS, World

from clpd_bench.distillation.train import Diverged, Record
from clpd_bench.errors import UserError
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job
from clpd_bench.reporting.diverged import diverged_students
from clpd_bench.settings.load import load_ablation
from clpd_bench.store import Store

WHERE = "the loss is nan at step 3 of 6, stage 1, teacher 2; examples a b"


class Diverging(World):
    """clpd/1 ends above its start, or with what `last` says."""

    last = 3.5
    policy = "refuse"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.declare(self.policy)

    def declare(self, policy: str) -> None:
        file = self.folder / "tiny.yaml"
        self.ablation = load_ablation(file, [f"analysis.diverged={policy}"])
        self.plan = build_plan(self.ablation, file)

    def _training(self, job: Job, out: Path) -> None:
        super()._training(job, out)
        file = out / "training.json"
        last = self.last if job.label == "student clpd/1" else 1.0
        looks = [{"step": 0.0, "response_loss": 3.25}, {"step": 6.0, "response_loss": last}]
        file.write_text(json.dumps({**json.loads(file.read_text()), "validation": looks}))


@pytest.fixture(scope="module")
def diverging(tmp_path_factory: pytest.TempPathFactory) -> Diverging:
    return Diverging(tmp_path_factory.mktemp("diverging"))


def test_refused_by_default_with_the_cell_and_what_to_do(diverging: Diverging) -> None:
    diverging.declare("refuse")
    with pytest.raises(UserError) as caught:
        diverging.report("refused")
    said = str(caught.value)
    assert "clpd at seed 1 (its validation loss was 3.25 at the start and is 3.5 at the end)" in said
    assert "analysis.diverged" in said
    assert "drop_pair" in said
    assert not (diverging.folder / "refused").exists()
    assert not any(one.kind == "look" for one in diverging.store.register())  # nobody has seen anything


def test_dropped_pairs_are_out_of_tests_and_means_and_are_counted(diverging: Diverging) -> None:
    diverging.declare("drop_pair")
    report = diverging.report("dropped")
    tests = report.comparisons.set_index(["arm", "metric"])["seeds"]
    assert tests["clpd", "response_loss"] == tests["interaction", "response_loss"] == SEEDS - 1
    assert tests["data_ordering", "response_loss"] == SEEDS
    means = report.means.set_index(["arm", "metric"])["seeds"]
    assert means["clpd", "response_loss"] == SEEDS - 1
    items = pd.read_parquet(report.page.parent / "items.parquet")
    assert set(items.loc[items["arm"] == "clpd", "seed"]) == set(range(SEEDS))  # what was found stays
    text = report.files[0].read_text()
    assert "2 of 3, 1 diverged" in text
    assert "clpd against standard_kd on sums: 2 of 3 pairs are complete; without clpd at seed 1 (diverged)." in text
    assert "Students that diverged: 1. Left out together with their pairs" in text
    assert "validation loss was 3.25 at the start" in text


def test_kept_students_are_evaluated_as_they_are_and_counted(diverging: Diverging) -> None:
    diverging.declare("last_checkpoint")
    report = diverging.report("kept")
    assert (report.comparisons["seeds"] == SEEDS).all()
    text = report.files[0].read_text()
    assert "3, 1 diverged" in text
    assert "Evaluated as they were before the step that failed" in text
    assert "diverged" in report.page.read_text()


@pytest.mark.parametrize(("last", "found"), [(3.2499, 0), (3.25, 0), (3.2501, 1), (math.nan, 1), (math.inf, 1)])
def test_above_its_own_start_or_no_number_is_diverged(tmp_path: Path, last: float, found: int) -> None:
    class One(Diverging):
        pass

    One.last = last
    world = One(tmp_path)
    assert [(one.arm, one.seed) for one in diverged_students(world.plan, world.store)] == [("clpd", 1)] * found


def test_a_student_that_failed_as_diverged_is_one_and_another_failure_is_not(tmp_path: Path) -> None:
    world = World(tmp_path, curves=False, undone=("student clpd/1", "evaluation clpd/1", "student sft/0"))
    for label, error in (("student clpd/1", Diverged(WHERE, Record())), ("student sft/0", ValueError("another"))):
        (key,) = (key for key, job in world.plan.jobs.items() if job.label == label)
        attempt = world.store.claim(key)
        assert attempt
        with attempt:
            attempt.fail(error)
    assert [str(one) for one in diverged_students(world.plan, world.store)] == [f"clpd at seed 1 ({WHERE})"]
    with pytest.raises(UserError, match="clpd at seed 1"):
        world.report()


def test_what_was_kept_is_told_by_its_manifest(tmp_path: Path) -> None:
    world = World(tmp_path, curves=False, fields={"student clpd/2": {"details": {"diverged": WHERE}}})
    assert [str(one) for one in diverged_students(world.plan, world.store)] == [f"clpd at seed 2 ({WHERE})"]


def test_a_policy_changes_no_key(diverging: Diverging) -> None:
    """So that a change of policy trains no student again but those that diverged."""
    keys = []
    for policy in ("refuse", "drop_pair", "last_checkpoint"):
        diverging.declare(policy)
        keys.append(list(diverging.plan.jobs))
    assert keys[0] == keys[1] == keys[2]
    students = {cell.model for cell in diverging.plan.cells}
    kept = {key for key, job in diverging.plan.jobs.items() if getattr(job.spec, "on_divergence", "") == "keep_last"}
    assert kept == students


def test_a_store_that_cannot_be_written_gives_a_report_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, curves=False)

    def refused(self: Store, shown: dict[str, str]) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Store, "look", refused)
    assert "no word is left in it" in world.report().files[0].read_text()
