"""Fixtures: a Slurm of virtual nodes for each test process, and others with settings of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from slurm_cluster import SCRIPTS, Cluster, MakeCluster, why_no_accounting, why_no_slurm

sys.path.append(str(Path(__file__).parents[1] / "launch"))
from launch_run import Run
from slurm_launch import FAULTS, outcomes

Shared = Callable[[str, Callable[[Path], object]], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "slurm":
            item.add_marker("slurm")


def _need(why_not: Callable[[], str], accounting: int) -> None:
    """Skips where no cluster can be had; where one is required, installs what is missing, or fails."""
    if not why_not():
        return
    if os.environ.get("CLPD_REQUIRE_SLURM") != "1":
        pytest.skip(why_not())
    env = {**os.environ, "CLPD_SLURM_ACCOUNTING": str(accounting)}
    done = subprocess.run([SCRIPTS / "install.sh"], env=env, capture_output=True, text=True)
    if reason := why_not():
        pytest.fail(f"CLPD_REQUIRE_SLURM=1, but {reason}\n{done.stderr}", pytrace=False)


@pytest.fixture(scope="session")
def session_cluster() -> Iterator[Cluster]:
    _need(why_no_slurm, accounting=0)
    made = Cluster()
    yield made
    made.down()


@pytest.fixture
def cluster(session_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with two nodes of two fake GPUs, both up and without jobs. Tests of one process share it."""
    yield session_cluster
    session_cluster.cancel_all()


@pytest.fixture
def make_cluster() -> Iterator[MakeCluster]:
    """Makes clusters of other settings: `make_cluster(conf_lines="MaxArraySize=10")`, `make_cluster(accounting=1)`."""
    made: list[Cluster] = []

    def make(**settings: object) -> Cluster:
        if settings.get("accounting"):
            _need(why_no_accounting, accounting=1)
        else:
            _need(why_no_slurm, accounting=0)
        made.append(Cluster(**settings))
        return made[-1]

    yield make
    for cluster in made:
        cluster.down()


@pytest.fixture(scope="session")
def uninterrupted(shared: Shared) -> dict[str, dict[str, str]]:
    """What comes out of `faults.yaml` where nothing happens, on this machine and without Slurm."""
    return outcomes(shared("uninterrupted", lambda folder: Run(folder, FAULTS)("run")) / "store")
