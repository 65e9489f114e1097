"""Students that diverged are outcomes: refused, kept or dropped as declared, and never in silence."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from fabricated_report import SEEDS, World

from clpd_bench.distillation.train import Diverged, Record
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job
from clpd_bench.results.diverged import DivergedStudent, biases, diverged_students, risen
from clpd_bench.store import Store

WHERE = "the loss is nan at step 3 of 6, stage 1, teacher 2; examples a b"


class Diverging(World):
    """clpd/1 was trained at these losses, and validates as `last` says."""

    losses: Sequence[float] = (1.5, 1.25, 1.0, 1.0, 1.25, 1.75)
    last = 3.25
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
        record = json.loads(file.read_text())
        mine = job.label == "student clpd/1"
        looks = [
            {"step": 0.0, "response_loss": 3.25},
            {"step": float(len(record["loss"])), "response_loss": self.last if mine else 1.0},
        ]
        losses = list(self.losses) if mine else record["loss"]
        file.write_text(json.dumps({**record, "loss": losses, "validation": looks}))


@pytest.fixture(scope="module")
def diverging(tmp_path_factory: pytest.TempPathFactory) -> Diverging:
    return Diverging(tmp_path_factory.mktemp("diverging"))


def test_refused_by_default_with_the_cell_and_what_to_do(diverging: Diverging) -> None:
    diverging.declare("refuse")
    with pytest.raises(UserError) as caught:
        diverging.report("refused")
    said = str(caught.value)
    assert "clpd at seed 1 (its mean training loss was 1.5 over the first step and is 1.75 over the last; " in said
    assert "its validation loss was 3.25 before the first and is 3.25)" in said
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
    bias = "iased in favour of clpd: 1 of its students diverged and were left out, none of standard_kd's."
    (verdict,) = [line for line in text.splitlines() if line.startswith("- clpd: ") and "Exploratory." in line]
    assert f"not tuned; b{bias} Exploratory." in verdict
    assert f"- clpd: b{bias}" in text
    assert "2 of 3, 1 diverged, biased" in text
    assert f"b{bias}" in (report.page.parent / "table.tex").read_text().replace("\\_", "_")
    both = "clpd and standard_kd: 1 of their students diverged and were left out, none of data_ordering's and"
    assert f"- interaction: biased in favour of {both} teacher_scheduling's." in text
    assert "mean training loss was 1.5 over the first step" in text


def test_kept_students_are_evaluated_as_they_are_and_counted(diverging: Diverging) -> None:
    diverging.declare("last_checkpoint")
    report = diverging.report("kept")
    assert (report.comparisons["seeds"] == SEEDS).all()
    text = report.files[0].read_text()
    assert "3, 1 diverged" in text
    assert "Evaluated as they were before the step that failed" in text
    assert "biased" not in text
    assert "diverged" in report.page.read_text()


@pytest.mark.parametrize(("last", "found"), [(3.2501, 0), (math.nan, 1)])
def test_a_validation_loss_that_rises_is_no_divergence_and_one_that_is_no_number_is(
    tmp_path: Path, last: float, found: int
) -> None:
    class One(Diverging):
        losses = (1.5, 1.0)

    One.last = last
    world = One(tmp_path)
    diverged = diverged_students(world.plan, world.store)
    assert list(map(str, diverged)) == ["clpd at seed 1 (its validation loss is nan at the end)"] * found


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        ([2.0], None),
        ([2.0, 2.0], None),
        ([2.0, 2.5], ("2", "step", "2.5")),
        ([1, *[9.0] * 8, 1], None),  # one step a tenth: what lies between takes no part
        ([1, 1.5, *[0.0] * 7, 1, 1.25], None),  # 11 steps: two a tenth
        ([1, 1.5, *[0.0] * 7, 2, 1.25], ("1.25", "2 steps", "1.625")),
        ([1, 1, math.nan], ("1", "step", "nan")),
    ],
)
def test_a_mean_training_loss_above_that_of_the_first_tenth_is_divergence(
    losses: list[float], found: tuple[str, str, str] | None
) -> None:
    said = "its mean training loss was {} over the first {} and is {} over the last"
    assert risen(losses) == (None if found is None else said.format(*found))


def test_a_rise_of_the_training_loss_is_no_divergence_where_the_validation_loss_fell(tmp_path: Path) -> None:
    """Late in a curriculum the teacher is stronger and the data are harder: the loss measures something else."""

    class One(Diverging):
        last = 3.2499

    world = One(tmp_path)
    assert diverged_students(world.plan, world.store) == []


def test_overfitting_is_warned_of_by_arm_and_refuses_no_report(tmp_path: Path) -> None:
    class One(Diverging):
        losses = (1.5, 1.0)
        last = 3.5

    report = One(tmp_path).report()
    said = "Overfitting: clpd: 1 of 3 students end with a validation loss above the start's: 3.25 -> 3.5 nats a token"
    assert said in report.files[0].read_text()
    assert said in html.unescape(report.page.read_text())
    assert report.context.diverged == []


def test_a_student_that_diverged_is_not_told_as_overfitting_once_more(tmp_path: Path) -> None:
    class One(Diverging):
        last = 3.5
        policy = "drop_pair"

    assert "Overfitting" not in One(tmp_path).report().files[0].read_text()


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ({}, None),
        ({"clpd": [1, 2]}, "clpd: 2 of its students {}, none of standard_kd's"),
        ({"standard_kd": [1]}, "standard_kd: 1 of its students {}, none of clpd's"),
        (
            {"clpd": [0, 1], "standard_kd": [1]},
            "clpd: 2 of its students {}, 1 of standard_kd's",
        ),
        ({"clpd": [0], "standard_kd": [1]}, None),
    ],
)
def test_a_comparison_is_biased_in_favour_of_the_side_that_lost_more_students(
    seeds: dict[str, list[int]], said: str | None
) -> None:
    diverged = [DivergedStudent(arm, seed, "") for arm, mine in seeds.items() for seed in mine]
    found = biases(diverged, ["standard_kd", "clpd"], "standard_kd", None)
    assert found == (
        {} if said is None else {"clpd": f"biased in favour of {said.format('diverged and were left out')}"}
    )


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
