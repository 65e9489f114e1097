"""Submitted, walked away from, collected: nothing but Slurm and the disk is at work meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
from pandas.testing import assert_frame_equal
from slurm_cluster import Cluster
from slurm_launch import TINY, Launch

from clpd_bench.store import Store


def items(store: Path, out: Path) -> pd.DataFrame:
    command = "from clpd_bench.cli.app import main; main()"
    subprocess.run(
        [sys.executable, "-c", command, "report", str(TINY), "--store", str(store), "--out", str(out)],
        check=True,
        capture_output=True,
    )
    return pd.read_parquet(out / "items.parquet")


def test_items_of_a_launched_ablation_equal_a_local_runs_row_for_row(cluster: Cluster, tmp_path: Path) -> None:
    launch = Launch(cluster, tmp_path, TINY, max_submit=9)
    shown = launch.launch().stdout
    assert "Slurm jobs" in shown
    launch.wait_until_done()
    launch.look()
    assert "nothing to submit" in launch.launch().stdout
    local = tmp_path / "local"
    subprocess.run(
        [
            *(sys.executable, "-c", "from clpd_bench.cli.app import main; main()", "run", str(TINY), "--workers", "2"),
            *("--store", str(local)),
        ],
        check=True,
        capture_output=True,
        env={**os.environ},
    )
    columns = ["benchmark", "metric", "filter", "arm", "seed", "item"]
    theirs, ours = (
        items(store, tmp_path / store.name).sort_values(columns, ignore_index=True) for store in (launch.store, local)
    )
    assert_frame_equal(theirs, ours, check_exact=True)
    key = launch.key("student clpd/0")
    weights = [(store / "artifacts" / key / "model.safetensors").read_bytes() for store in (launch.store, local)]
    assert weights[0] == weights[1]
    manifest = Store(launch.store).manifest(key)
    assert manifest
    assert manifest["attempt"]["owner"]["scheduler"]["id"]
