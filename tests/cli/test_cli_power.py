"""`clpd plan` says what the declared seeds can find, with a declared spread or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clpd_bench.analysis.power import detectable_effect
from clpd_bench.cli.app import app
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm.preflight.checks import check_seeds
from clpd_bench.plan.build import build_plan

SPREAD = "analysis.spread=0.004"


def clpd(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def power(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(clpd("plan", *arguments, "--json"))["power"]
    return found


def test_without_a_spread_effects_are_in_units_of_it_and_a_seeds_cost_is_unknown(small: Path, tmp_path: Path) -> None:
    found = power(small, "--store", tmp_path / "s")
    assert (found["spread"], found["one_more_seed"]) == (None, None)
    assert {row["difference"] for row in found["effects"]} == {None}
    text = clpd("plan", small, "--store", tmp_path / "s")
    assert "effects are in units of it (sd): declare analysis.spread" in text
    assert "unknown until a cell has finished" in text


def test_a_declared_spread_turns_effects_into_the_metrics_unit(small: Path, tmp_path: Path) -> None:
    found = power(small, "--store", tmp_path / "s", "--set", SPREAD, "--set", "seeds=[0, 1, 2, 3, 4, 5, 6, 7]")
    assert found["spread"] == {"source": "declared", "sd": 0.004}
    worst = detectable_effect(8, 0.05 / found["comparisons"])
    assert found["detectable"]["worst"] == pytest.approx({"d_z": worst, "difference": 0.004 * worst})
    assert [row["difference"] for row in found["effects"]] == pytest.approx([0.002, 0.004, 0.006, 0.008, 0.01])
    assert found["warning"] is None


def test_a_declared_spread_stands_in_no_key_and_no_declaration(small: Path) -> None:
    without, noted = (build_plan(load_ablation(small, sets), small) for sets in ([], [SPREAD]))
    assert list(noted.jobs) == list(without.jobs)
    assert noted.declaration == without.declaration
    assert noted.to_json() == without.to_json()


@pytest.mark.parametrize("value", ["0", "-0.1", ".nan", ".inf"])
def test_a_spread_that_is_none_is_refused(value: str, small: Path) -> None:
    result = CliRunner().invoke(app, ["plan", str(small), "--set", f"analysis.spread={value}"])
    assert result.exit_code
    assert "analysis.spread" in str(result.exception)


@pytest.mark.parametrize("seeds", ["[0, 1]", "[0, 1, 2]"])
def test_too_few_seeds_are_warned_of_as_launch_does(seeds: str, small: Path, tmp_path: Path) -> None:
    sets = [f"seeds={seeds}"]
    (finding,) = check_seeds(build_plan(load_ablation(small, sets), small))
    said = f"{finding.what}. {finding.fix}"
    assert power(small, "--store", tmp_path / "s", "--set", *sets)["warning"] == said
    assert f"Warning: {said}." in clpd("plan", small, "--store", tmp_path / "s", "--set", *sets).replace("\n", " ")


def test_each_point_of_a_grid_has_its_power_and_what_is_alike_is_printed_once(small: Path, tmp_path: Path) -> None:
    options = ["--store", tmp_path / "s", "--set", "axes={curriculum.pacing.strength: [0, 1]}"]
    points = json.loads(clpd("plan", small, *options, "--json"))["points"]
    assert [point["power"]["seeds"] for point in points] == [2, 2]
    assert clpd("plan", small, *options).count("What the test can find") == 1


def test_one_comparison_has_no_column_of_a_family(small: Path, tmp_path: Path) -> None:
    text = clpd("plan", small, "--store", tmp_path / "s", "--set", "analysis.family=[clpd]")
    assert "power, one test" in text
    assert "worst of" not in text
