"""`clpd tune --site` where its trials were submitted: what it says is still at work, and when it writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from canned_slurm import TINY, CannedSlurm
from typer.testing import CliRunner, Result

from clpd_bench.cli import submit, tune
from clpd_bench.cli.app import app
from clpd_bench.grid.load import load_untuned
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.tuning import plan_tuning

TUNE = "tune: {space: {student.training.learning_rate: [1e-3, 1e-2]}, seeds: [100], arms: [standard_kd]}\n"
STUDENTS = ["student standard_kd[learning_rate=0.001]/100", "student standard_kd[learning_rate=0.01]/100"]


class TunedSlurm(CannedSlurm):
    """With a file that declares tuning, whose plan is what was launched."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, monkeypatch)
        self.file = Path(shutil.copy(TINY, folder / "tiny.yaml"))
        self.file.write_text(self.file.read_text() + TUNE)
        self.site = folder / "site.yaml"
        self.site.write_text("profiles: {p: {time: 60}}\nuse: {default: p}\n")
        self.plan = plan_tuning(load_untuned(self.file), self.file).plan

    def tune(self, *words: str) -> Result:
        command = ["tune", str(self.file), "--site", str(self.site), "--store", str(self.store.root), *words]
        return CliRunner().invoke(app, command, env={"COLUMNS": "200"})

    def trained(self, label: str, loss: float) -> None:
        with self.store.claim(self.key(label)) as attempt:
            details = {"steps": 60, "validation": {"response_loss": loss}}
            attempt.publish({"label": label, "details": details, "tokens": 100, "seconds": 1.0, "git": "a" * 40})


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TunedSlurm:
    return TunedSlurm(tmp_path, monkeypatch)


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans that were handed to Slurm, none of which is submitted."""
    plans: list[Plan] = []
    monkeypatch.setattr(tune, "submit_plan", lambda plan, *_: plans.append(plan))
    return plans


def test_what_is_submitted_is_the_plan_of_the_trials_alone(slurm: TunedSlurm, submitted: list[Plan]) -> None:
    assert slurm.tune().exit_code == 0
    (plan,) = submitted
    assert set(plan.jobs) == set(slurm.plan.jobs)
    assert not [job for job in plan.jobs.values() if job.kind == "evaluation"]
    assert not (slurm.file.parent / "tiny.tuned.yaml").exists()


def test_while_trials_wait_in_slurm_it_says_so_and_what_to_type_when_they_are_done(
    slurm: TunedSlurm, submitted: list[Plan]
) -> None:
    slurm.launch([["model large"]], [STUDENTS])
    slurm.trained(STUDENTS[0], 2.0)
    slurm.squeue = ["13908_0|13908|PENDING|Priority|clpd:LAUNCH/0", "13909|13909|PENDING|Dependency|clpd:LAUNCH/1"]
    done = slurm.tune()
    assert done.exit_code == 0, done.output
    assert "2 pending jobs are in Slurm: 1 Priority, 1 Dependency" in done.stdout
    assert "1 of the trials' students are not done yet" in done.stdout
    told = f"Next, when they are: clpd tune {slurm.file} --site {slurm.site} --store {slurm.store.root}\n"
    assert done.stdout.endswith(told)
    read: Any = json.loads(slurm.tune("--json").stdout)
    assert (read["file"], read["unfinished"]) == (None, 1)


def test_once_all_trials_are_done_it_asks_no_cluster_and_writes(slurm: TunedSlurm, submitted: list[Plan]) -> None:
    for label, loss in zip(STUDENTS, (2.0, 1.0), strict=True):
        slurm.trained(label, loss)
    done = slurm.tune()
    assert done.exit_code == 0, done.output
    assert submitted == []
    assert slurm.calls == []
    assert "student.training.learning_rate: 0.01" in (slurm.file.parent / "tiny.tuned.yaml").read_text()


def test_nothing_of_a_tuning_plan_trips_the_checks_before_a_launch(slurm: TunedSlurm) -> None:
    from clpd_bench.launch.slurm.preflight.checks import check_seeds

    assert check_seeds(slurm.plan) == []
    assert submit.submit_plan is tune.submit_plan
