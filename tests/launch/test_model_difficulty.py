"""A difficulty that is a model's loss: planned without training, made by a worker, then counted."""

from __future__ import annotations

import json
from pathlib import Path

from launch_run import Run

BY_LOSS = ("--set", "curriculum.difficulty=length_residual:student_loss:small", "--set", "seeds=[0, 1]")
FEW = (
    "--set",
    "arms={standard_kd: {order: shuffled, teachers: strongest}, late: {order: hard_to_easy, teachers: last_teacher}}",
    "--set",
    "analysis={baseline: standard_kd, family: [late], primary: {benchmark: sums, metric: response_loss}}",
)


def test_plan_trains_nothing_and_shows_exposure_once_a_worker_has_scored(tmp_path: Path) -> None:
    run = Run(tmp_path)
    before = run("plan", "--corpus", *BY_LOSS, *FEW)
    assert "exposure of standard_kd, late is known once a worker has made it" in " ".join(before.stdout.split())
    assert {label.split()[0] for label in run.manifests()} == {"corpus"}
    run("run", *BY_LOSS, *FEW)
    manifests = run.manifests()
    scored = [m for label, m in manifests.items() if label.startswith("difficulty")]
    assert len(scored) == 1
    assert scored[0]["tokens"] > 0
    shown = json.loads(run("plan", "--json", *BY_LOSS, *FEW).stdout)["exposure"]
    rows = shown["late"]["by_bucket_stage_teacher"]
    assert {(row["stage"], row["teacher"]) for row in rows} == {(1, 0), (2, 1)}
    written = run("report", "--out", str(tmp_path / "report"), *BY_LOSS, *FEW).stdout
    assert "No cell is missing" in written
    page = (tmp_path / "report" / "report.html").read_text()
    assert "All 4 students consumed exactly the presentations of their schedules" in page
    assert "no teacher" in page
