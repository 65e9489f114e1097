"""Tuning submitted and walked away from: typed again, it writes what a local one writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from slurm_cluster import Cluster
from slurm_launch import TINY, Launch

from clpd_bench.grid.load import load_untuned
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.tuning import plan_tuning
from clpd_bench.store import Store

TUNE = "tune: {space: {student.training.learning_rate: [1e-3, 1e-2]}, seeds: [100], arms: [clpd]}\n"


def arms(file: Path) -> Any:
    return yaml.safe_load(file.read_text())["points"]["base"]


@pytest.mark.soak
def test_a_launched_tuning_writes_what_a_local_one_writes(cluster: Cluster, tmp_path: Path) -> None:
    file = Path(shutil.copy(TINY, tmp_path / "tiny.yaml"))
    file.write_text(file.read_text() + TUNE)
    launch = Launch(cluster, tmp_path, file)
    shown = launch("tune", "--site", str(launch.site)).stdout
    assert "Slurm jobs" in shown
    assert f"Next, when they are: clpd tune {file} --site {launch.site}" in shown
    plan: Plan = plan_tuning(load_untuned(file), file).plan
    store, students = Store(launch.store), [cell.model for cell in plan.cells]
    cluster.wait_until(lambda: all(store.is_done(key) for key in students), 240, "the trials are done")
    launch("tune", "--site", str(launch.site))
    tuned = tmp_path / "tiny.tuned.yaml"
    launched = arms(tuned)
    command = [sys.executable, "-c", "from clpd_bench.cli.app import main; main()", "tune", str(file)]
    subprocess.run([*command, "--store", str(tmp_path / "local")], check=True, capture_output=True)
    assert arms(tuned) == launched
