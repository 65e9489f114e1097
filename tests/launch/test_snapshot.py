"""Jobs of a launch run the code that was there when it was launched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.provenance import revision
from clpd_bench.launch.slurm import snapshot
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan

TINY = Path(__file__).parent / "tiny.yaml"
OWN = "def gap(logits, labels, targets):\n    return ((logits - targets.logits) ** 2).sum(-1)\n"


def planned(folder: Path) -> Plan:
    """The tiny ablation with a loss of the user's own, in a folder that will be edited."""
    (folder / "mine.py").write_text(OWN)
    text = TINY.read_text().replace("loss: {name: forward_kl}", "loss: {name: 'mine.py:gap'}")
    file = folder / "own.yaml"
    file.write_text(text)
    return build_plan(load_ablation(file), file)


def test_plugins_and_package_are_those_of_the_launch_whatever_is_edited_afterwards(tmp_path):
    plan = planned(tmp_path)
    target = tmp_path / "snapshot"
    taken = Plan.from_json(json.loads(json.dumps(snapshot.take(plan, target))))
    (tmp_path / "mine.py").write_text("raise SystemExit('edited')\n")
    assert list(taken.jobs) == list(plan.jobs)
    files = {s.supervision.loss.file for s in (job.spec for job in taken.jobs.values()) if owned(s)}
    assert len(files) == 1
    assert next(iter(files)).read_text() == OWN
    assert target in next(iter(files)).parents
    found = subprocess.run(
        [sys.executable, "-P", "-c", "import clpd_bench.launch.slurm.task as t; print(t.__file__)"],
        env={"PYTHONPATH": str(target), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()) == target / "clpd_bench/launch/slurm/task.py"


def owned(spec: object) -> bool:
    supervision = getattr(spec, "supervision", None)
    return supervision is not None and supervision.loss.name == "plugin"


def test_a_snapshot_says_of_what_revision_it_is(tmp_path):
    snapshot.take(planned(tmp_path), tmp_path / "snapshot")
    ask = "from clpd_bench.launch.provenance import revision; import json; print(json.dumps(vars(revision())))"
    found = subprocess.run(
        [sys.executable, "-P", "-c", ask],
        env={"PYTHONPATH": str(tmp_path / "snapshot"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(found.stdout) == vars(revision())
