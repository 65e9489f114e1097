"""Submitted, walked away from, collected: nothing but Slurm and the disk is at work meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from launch_run import FINISHED, Run, finish
from pandas.testing import assert_frame_equal
from slurm_cluster import Cluster
from slurm_launch import TINY, Launch

from clpd_bench.store import Store

TWO_ARMS = [
    "arms={standard_kd: {order: shuffled, teachers: strongest}, clpd: {order: easy_to_hard, teachers: weak_to_strong}}",
    "analysis.family=[clpd]",
]


def items(run: Run) -> pd.DataFrame:
    sets = [] if isinstance(run, Launch) else [word for one in TWO_ARMS for word in ("--set", one)]
    run("report", *sets, "--out", "items")
    return pd.read_parquet(run.folder / "items/items.parquet")


def test_items_of_a_launched_ablation_equal_a_local_runs_row_for_row(
    cluster: Cluster, shared: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path
) -> None:
    launch = Launch(cluster, tmp_path, TINY, sets=TWO_ARMS, max_submit=3)
    shown = launch.launch().stdout
    assert "Slurm jobs" in shown
    # Beside the Slurm jobs, which run one after another.
    local = Run(Path(shutil.copytree(shared(FINISHED, finish), tmp_path / "local")))
    launch.wait_until_done()
    launch.look()
    assert "nothing to submit" in launch.launch().stdout
    columns = ["benchmark", "metric", "filter", "arm", "seed", "item"]
    theirs, ours = (items(run).sort_values(columns, ignore_index=True) for run in (launch, local))
    assert_frame_equal(theirs, ours, check_exact=True)
    key = launch.key("student clpd/0")
    weights = [(store / "artifacts" / key / "model.safetensors").read_bytes() for store in (launch.store, local.store)]
    assert weights[0] == weights[1]
    manifest = Store(launch.store).manifest(key)
    assert manifest
    assert manifest["attempt"]["owner"]["scheduler"]["id"]
