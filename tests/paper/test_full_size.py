"""Files of full size can be planned on any machine: without weights, data or a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from full_size import ABLATIONS, FULL_SIZE
from typer.testing import CliRunner

from clpd_bench.analysis.power import found
from clpd_bench.cli.app import app
from clpd_bench.flops.parameters import parameters
from clpd_bench.grid.load import load_ablation
from clpd_bench.settings.parts.pretrained import Hub

PARAMETERS = {
    # Published counts: arXiv 2412.15115, table 1 and the models' cards; the hub's pages for Llama.
    "qwen_0_5b": 0.49e9,
    "qwen_1_5b": 1.54e9,
    "qwen_3b": 3.09e9,
    "qwen_7b": 7.61e9,
    "llama_1b": 1.23e9,
    "llama_3b": 3.21e9,
    "llama_8b": 8.03e9,
}


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf"), "CLPD_STORE": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CLPD_DATA", raising=False)


@pytest.mark.parametrize("name", FULL_SIZE)
def test_a_file_of_full_size_plans_without_weights_data_or_network(name: str) -> None:
    result = CliRunner().invoke(app, ["plan", str(ABLATIONS / f"{name}.yaml"), "--json"])
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    ablation = load_ablation(ABLATIONS / f"{name}.yaml")
    assert len(plan["cells"]) == len(ablation.arms) * len(ablation.seeds)
    assert plan["differences"]


@pytest.mark.parametrize("name", FULL_SIZE)
def test_declared_seeds_find_an_effect_of_one_and_a_half_deviations(name: str) -> None:
    """With 80 %, whichever of the declared comparisons has it: alpha / m is the worst case of Holm."""
    ablation = load_ablation(ABLATIONS / f"{name}.yaml")
    alpha = ablation.analysis.alpha / len(ablation.analysis.family)
    assert found(1.5, len(ablation.seeds), alpha) >= 0.8


@pytest.mark.parametrize("name", FULL_SIZE)
def test_declared_dimensions_give_the_published_number_of_parameters(name: str) -> None:
    for model, settings in load_ablation(ABLATIONS / f"{name}.yaml").models.items():
        assert isinstance(settings.initial, Hub)
        assert settings.initial.dimensions
        assert parameters(settings.initial.dimensions).total == pytest.approx(PARAMETERS[model], rel=0.01)
