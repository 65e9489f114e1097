"""What early stopping and checkpoint choice came to is said of each arm; where neither is declared, nothing is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fabricated_report import World
from page_text import Page
from test_diverged_students import Diverging

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job
from clpd_bench.report.card.trained import _length as training_length
from clpd_bench.report.choices import choices_made, choices_planned
from clpd_bench.results.curves import overfitting
from clpd_bench.results.diverged import diverged_students

EARLY = "student.training.early_stopping={metric: response_loss, every: 5, patience: 2, min_delta: 0.01}"
BEST = "student.training.checkpoint={name: best_validation, metric: sequence_accuracy, every: 1}"


class Chosen(World):
    """Seed s of the arm at place a took 10 a + s steps, and is as it was 5 steps before."""

    sets: tuple[str, ...] = (EARLY, BEST)

    def __post_init__(self) -> None:
        self.fields = {
            f"student {arm}/{seed}": {"details": self.details(10 * i + seed, stopped=arm == "clpd")}
            for i, arm in enumerate(("sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd"), start=1)
            for seed in range(3)
        }
        super().__post_init__()

    @staticmethod
    def details(steps: int, stopped: bool) -> dict[str, Any]:
        told = {"stopped_early": "stopped early"} if stopped else {}
        return {"steps": steps, "chosen": {"step": float(steps - 5)}, **told}

    def _training(self, job: Job, out: Path) -> None:
        super()._training(job, out)
        if job.label.startswith("student clpd"):
            file = out / "training.json"
            record = json.loads(file.read_text())
            file.write_text(json.dumps({**record, "loss": record["loss"][:-1], "stopped_early": "stopped early"}))

    def _make(self, job: Job) -> None:
        """With the settings told, which the world's own file does not have."""
        if not hasattr(self, "told"):
            self.told = True
            file = self.folder / "tiny.yaml"
            self.ablation = load_ablation(file, list(self.sets))
            self.plan = build_plan(self.ablation, file)
            self.store.declare(self.plan.declaration)
            for one in self.plan.jobs.values():
                super()._make(one)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Chosen:
    return Chosen(tmp_path_factory.mktemp("chosen"))


def test_steps_taken_and_chosen_are_told_of_each_arm(chosen: Chosen) -> None:
    stopped, picked = choices_made(chosen.plan, chosen.store)
    assert stopped.startswith(
        "Early stopping, after 2 looks without a gain of more than 0.01 in validation response_loss (every 5 steps): "
        "3 of 15 students were stopped, so arms are not equal in steps, tokens and exposure."
    )
    assert "standard_kd 21 (20 to 22)" in stopped
    assert "clpd 51 (50 to 52)" in stopped
    assert "the best look at validation sequence_accuracy (every 1 step)" in picked
    assert "clpd 46 (45 to 47)" in picked
    report = chosen.report()
    for file in (report.files[0], report.page):
        assert "clpd 51 (50 to 52)" in file.read_text()
    exposure = Page(report.page).sections["exposure"]
    assert "Early stopping ended these students: clpd/0 after 5 of 6 steps, clpd/1 after 5 of 6 steps" in exposure


def test_what_is_declared_for_some_arms_is_told_of_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    file = tmp_path / "tiny.yaml"
    key, value = EARLY.split("=")
    plan = build_plan(load_ablation(file, [f"arms.clpd.differs={{{key}: {value}}}"]), file)
    (sentence,) = choices_planned(plan)
    assert "(every 5 steps) (clpd): an arm has at most the steps" in sentence
    assert choices_made(plan, world.store)[0].endswith(
        "none of 0 students was stopped by it. Steps taken, mean (least to most): none yet."
    )


def test_by_default_nothing_is_said(world: World) -> None:
    assert choices_planned(world.plan) == choices_made(world.plan, world.store) == []


@pytest.mark.parametrize(("step", "found"), [(3.0, 0), (5.0, 1)])
def test_a_student_chosen_by_a_look_has_diverged_if_its_loss_had_risen_by_then(
    tmp_path: Path, step: float, found: int
) -> None:
    """Whatever its run went on to: it is not that model which is evaluated."""

    class One(Diverging):
        losses = (1.5, 1.25, 1.0, 1.25, 1.75, 2.0)

        def _training(self, job: Job, out: Path) -> None:
            super()._training(job, out)
            file = out / "training.json"
            record: dict[str, Any] = json.loads(file.read_text())
            if job.label == "student clpd/1":
                record["chosen"] = {"step": step, "response_loss": 3.5}
            file.write_text(json.dumps(record))

    world = One(tmp_path)
    diverged = diverged_students(world.plan, world.store)
    assert [one.why for one in diverged] == [
        "its mean training loss was 1.5 over the first step and is 1.75 over the last; "
        "its validation loss was 3.25 before the first and is 3.5"
    ] * found
    told = overfitting(world.plan, world.store, {(one.arm, one.seed) for one in diverged})
    assert ["3.25 -> 3.5" in one for one in told] == [True] * (not found)


def test_a_card_says_which_of_its_models_a_student_is(chosen: Chosen) -> None:
    """Seed 0 of clpd, which took 50 steps."""
    (key,) = {cell.model for cell in chosen.plan.cells if (cell.name, cell.seed) == ("clpd", 0)}
    text = training_length(chosen.plan.jobs[key], chosen.store)
    assert "stopped early" in text
    assert "as it was after step 45, the best of its looks at the validation split" in text
