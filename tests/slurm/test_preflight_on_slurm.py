"""What preflight asks, a real Slurm answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_cluster import Cluster
from slurm_launch import TINY

from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm.cluster import ask_cluster
from clpd_bench.launch.slurm.preflight import preflight
from clpd_bench.launch.slurm.site import load_site
from clpd_bench.launch.slurm.submit import profiles
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store

DEV = Path(__file__).parents[2] / "slurm" / "dev.yaml"


def test_a_real_cluster_answers_every_question(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", cluster.env["SLURM_CONF"])
    found = ask_cluster()
    assert found.config.name == "dev"
    assert {"gpu", "high"} <= {partition.name for partition in found.partitions}
    assert all(node.cpus > 0 and node.memory > 0 and node.partitions for node in found.nodes)
    assert found.accounting is not None or found.no_accounting


def test_the_development_clusters_site_file_fits_it(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", cluster.env["SLURM_CONF"])
    plan, site = build_plan(load_ablation(TINY), TINY), load_site(DEV)
    findings = preflight(site, profiles(plan, site), plan, set(plan.jobs), Store(tmp_path))
    assert [finding for finding in findings if finding.level == "fatal"] == []
