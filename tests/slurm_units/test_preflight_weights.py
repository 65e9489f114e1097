"""Pretrained weights are where nodes can read them, or it is told before anything is submitted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import constants
from safetensors.numpy import save

from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm.preflight.files import check_inputs, check_weights_everywhere
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
REVISION = "0123456789abcdef0123456789abcdef01234567"


def planned(folder: Path, initial: dict[str, Any]) -> Plan:
    data = yaml.safe_load(SMALL.read_text())
    training = {"steps": 4, "learning_rate": 1e-3}
    data["corpora"]["sums"]["tokenizer"] = "of:base"
    data["models"] = {
        "base": {"initial": initial},
        "tuned": {"initial": "base", "corpus": "sums", "training": training},
    }
    data["teachers"], data["student"]["initial"] = ["tuned"], "base"
    file = folder / "a.yaml"
    file.write_text(yaml.safe_dump(data))
    plan = build_plan(load_ablation(file), file)
    return Plan.from_json(json.loads(json.dumps(plan.to_json())))


@pytest.fixture
def local(tmp_path: Path) -> Plan:
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text(name)
    (folder / "model.safetensors").write_bytes(save({}))
    return planned(tmp_path, {"name": "local", "folder": "weights"})


def test_weights_that_changed_or_went_are_fatal(local: Plan, tmp_path: Path) -> None:
    assert check_inputs(local, set(local.jobs)) == []
    file = tmp_path / "weights" / "model.safetensors"
    file.write_text("others")
    (finding,) = check_inputs(local, set(local.jobs))
    assert finding.level == "fatal"
    assert finding.what == f"{file} has changed since it was planned"
    file.unlink()
    (finding,) = check_inputs(local, set(local.jobs))
    assert finding.what == f"{file} cannot be read: No such file or directory"


def test_weights_outside_of_shared_folders_are_fatal_while_a_model_is_to_be_made_of_them(
    local: Plan, tmp_path: Path
) -> None:
    assert check_weights_everywhere(local, set(local.jobs), (tmp_path,)) == []
    (finding,) = check_weights_everywhere(local, set(local.jobs), (tmp_path / "scratch",))
    assert finding.level == "fatal"
    assert str(tmp_path / "weights") in finding.what
    data = {key for key, job in local.jobs.items() if job.kind != "model"}
    assert check_weights_everywhere(local, data, (tmp_path / "scratch",)) == []


def test_a_hub_model_that_cannot_be_fetched_is_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    plan = planned(tmp_path, {"name": "hub", "model": "org/thing", "revision": REVISION})
    findings = check_inputs(plan, set(plan.jobs))
    (finding,) = findings
    assert finding.level == "fatal"
    assert f"org/thing at revision {REVISION} is not in the hub's cache" in finding.what
    assert "clpd lock FILE --fetch" in finding.fix
    snapshot = tmp_path / "hub" / "models--org--thing" / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (finding,) = check_inputs(plan, set(plan.jobs))
    assert "no safetensors" in finding.what
    (snapshot / "a.safetensors").write_bytes(save({}))
    index = {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    (finding,) = check_inputs(plan, set(plan.jobs))
    assert "b.safetensors is missing" in finding.what
    (snapshot / "b.safetensors").write_bytes(save({})[:-1])
    (finding,) = check_inputs(plan, set(plan.jobs))
    assert "b.safetensors of org/thing" in finding.what
    assert "is cut short or damaged" in finding.what
    (snapshot / "b.safetensors").write_bytes(save({}))
    assert check_inputs(plan, set(plan.jobs)) == []
