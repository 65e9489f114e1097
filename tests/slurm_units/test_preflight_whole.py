"""All checks together: their order, and what they cost to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from fabricated_cluster import a_cluster, a_node, a_site
from rich.console import Console

from clpd_bench.cli.submit import print_findings
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm.cluster import Cluster
from clpd_bench.launch.slurm.preflight import Finding, preflight
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests" / "settings" / "small.yaml"


def found(tmp_path: Path, cluster: Cluster | None = None, seeds: int = 8, **other: Any) -> list[Finding]:
    plan = build_plan(load_ablation(SMALL, [f"seeds={list(range(seeds))}"]), SMALL)
    todo = {key for key, job in plan.jobs.items() if job.kind != "corpus"}
    given: dict[str, Any] = {"ask": lambda: cluster or a_cluster(), "environ": {}, **other}
    site = given.pop("site", a_site(profile={"gpus": 1}))
    return preflight(
        site, lambda key: "gpu" if key in todo else "unused", plan, todo, Store(tmp_path / "store"), **given
    )


def test_a_cluster_that_can_run_it_all_is_no_finding_but_the_unmade_corpora(tmp_path: Path) -> None:
    (finding,) = found(tmp_path)
    assert "the corpora being unmade" in finding.what


def test_a_slurm_that_does_not_answer_is_the_only_finding(tmp_path: Path) -> None:
    def refused() -> Cluster:
        raise UserError("scontrol failed: no", fix="Try again")

    assert found(tmp_path, seeds=2, ask=refused, environ={"SBATCH_QOS": "x"}) == [
        Finding("fatal", "scontrol failed: no", "Try again")
    ]


def test_fatal_findings_come_first(tmp_path: Path) -> None:
    levels = [f.level for f in found(tmp_path, a_cluster(nodes=(a_node(gpus={}),)), 2, environ={"SBATCH_QOS": "x"})]
    assert levels == sorted(levels)
    assert set(levels) == {"fatal", "warning"}


def test_profiles_that_no_job_uses_are_not_looked_at(tmp_path: Path) -> None:
    site = a_site()
    unused = site.profiles["gpu"].model_copy(update={"partition": "absent"})
    site = site.model_copy(update={"profiles": {**site.profiles, "unused": unused}})
    assert all(finding.level == "warning" for finding in found(tmp_path, site=site))


def test_variables_that_override_the_site_file_are_named(tmp_path: Path) -> None:
    environ = {"SBATCH_PARTITION": "old", "SBATCH_ACCOUNT": "me", "SLURM_CONF": "x", "PATH": "y"}
    told = [finding for finding in found(tmp_path, environ=environ) if "environment" in finding.what]
    assert [(f.level, f.fix) for f in told] == [("warning", "unset SBATCH_ACCOUNT SBATCH_PARTITION")]
    assert "SBATCH_ACCOUNT=me, SBATCH_PARTITION=old" in told[0].what


def test_people_see_each_finding_with_its_fix_or_that_all_is_ready() -> None:
    def printed(*findings: Finding) -> str:
        console = Console(width=200)
        with console.capture() as capture:
            print_findings(list(findings), console)
        return capture.get()

    warning, fatal = Finding("warning", "it [may] be", "Look"), Finding("fatal", "it is", "Change it")
    assert printed() == "ready\n"
    assert printed(warning) == "warning: it [may] be.\n  Look.\nready, with 1 warning\n"
    assert printed(fatal, warning) == "fatal: it is.\n  Change it.\nwarning: it [may] be.\n  Look.\n"


def test_checking_imports_no_torch_and_scipy_only_for_the_seeds() -> None:
    program = (
        "import sys\n"
        "import clpd_bench.launch.slurm.preflight, clpd_bench.costs.footprint\n"
        "heavy = {'torch', 'transformers', 'pandas', 'scipy', 'statsmodels', 'matplotlib'}\n"
        "print(*heavy & {name.split('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
