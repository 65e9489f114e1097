"""docs/paper.md can be walked, and shows what its plans print."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from paper_walk import PAGE, ROOT, Step, Walk, page_files, page_steps, served, write_repositories
from slurm_cluster import Cluster, why_no_slurm
from typer.testing import CliRunner

from clpd_bench.cli.app import app

PLANS = [step for step in page_steps(PAGE.read_text()) if step.command.startswith("clpd plan ablations/")]


@pytest.mark.parametrize("step", PLANS, ids=lambda step: step.command)
def test_the_page_shows_what_plans_of_full_size_print(
    step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (tmp_path / "cluster.yaml").write_text(page_files(PAGE.read_text())["cluster.yaml"])
    words = [word if word != "cluster.yaml" else str(tmp_path / word) for word in shlex.split(step.command)]
    environment = {"CLPD_STORE": str(tmp_path / "store"), "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path)}
    result = CliRunner().invoke(app, words[1:], env=environment)
    assert result.exit_code == 0, result.output
    assert _lines(result.stdout.splitlines()) == _lines(step.shown)


def _lines(shown: list[str]) -> list[str]:
    """Without keys, in which code versions stand."""
    return [re.sub(r"\b[0-9a-f]{24}\b", "<key>", line.rstrip()) for line in shown]


@pytest.mark.soak
@pytest.mark.slurm
def test_the_page_walks_from_lock_to_table_on_a_real_slurm(data: Path, tmp_path: Path) -> None:
    if reason := why_no_slurm():
        if os.environ.get("CLPD_REQUIRE_SLURM") == "1":
            pytest.fail(f"CLPD_REQUIRE_SLURM=1, but {reason}", pytrace=False)
        pytest.skip(reason)
    write_repositories(tmp_path / "hub", data)
    cluster = Cluster()
    try:
        with served(tmp_path / "hub") as address:
            walk = Walk(tmp_path / "desk", address, cluster)
            for step in page_steps(PAGE.read_text()):
                done = walk.type(step.command)
                assert done.returncode == 0, f"{step.command}\n{done.stdout}"
    finally:
        cluster.down()
    table = (tmp_path / "desk" / "reports" / "math+commonsense" / "table.md").read_text()
    assert "No cell is missing." in table
    assert "published" in table
