"""`clpd plan` of a grid: within each point, and what is the same at several points once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from clpd_bench.cli.app import app

AXES = "axes={curriculum.pacing.strength: [0, 1]}"


def clpd(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_differences_and_exposure_are_those_within_a_point(small: Path, tmp_path: Path) -> None:
    found: Any = json.loads(clpd("plan", small, "--store", tmp_path / "s", "--set", AXES, "--corpus", "--json"))
    assert [point["coordinates"] for point in found["points"]] == [
        {"curriculum.pacing.strength": 0},
        {"curriculum.pacing.strength": 1},
    ]
    assert "differences" not in found
    for point in found["points"]:
        keys = {pair["arms"][1]: {d["key"] for d in pair["settings"]} for pair in point["differences"]}
        assert keys["clpd"] == {"order", "teachers"}
        assert keys["data_ordering"] == {"order"}
        strength = point["coordinates"]["curriculum.pacing.strength"]
        alone = clpd(
            "plan", small, "--store", tmp_path / "s", "--set", f"curriculum.pacing.strength={strength}", "--json"
        )
        assert point["exposure"] == json.loads(alone)["exposure"]


def test_what_is_the_same_at_all_points_is_printed_once(small: Path, tmp_path: Path) -> None:
    text = clpd("plan", small, "--store", tmp_path / "s", "--set", AXES, "--corpus")
    assert "20 cells: 2 points x 5 arms x 2 seeds" in text
    exposure = text.split("What each arm shows")[1].split("Share of")[0].split("\n")
    rows = [line.split("  ")[0].strip() for line in exposure[2:] if line[:1].strip()]
    assert rows == [
        "sft",
        "standard_kd",
        "data_ordering [strength=0]",
        "data_ordering [strength=1]",
        "teacher_scheduling",
        "clpd [strength=0]",
        "clpd [strength=1]",
    ]


def test_origins_are_printed_for_people_and_as_json(small: Path) -> None:
    text = clpd("plan", small, "--origins", "--set", "loss.ce_weight=0.5")
    assert "loss.ce_weight: 0.5  (--set)" in text.split("\n")
    found = json.loads(clpd("plan", small, "--origins", "--json"))["origins"]
    assert {"key": "student.training.clip", "value": 1.0, "source": "default"} in found


def test_a_cell_is_found_by_arm_point_and_seed(small: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    clpd("plan", small, "--store", store, "--set", AXES)
    found = json.loads(clpd("show", "clpd[strength=1]/0", "--store", store))
    assert found["label"] == "student clpd[strength=1]/0"
    assert found["settings"]["supervision"]["pacing"] == {"name": "blend", "strength": 1.0}
    assert clpd("retry", small, "clpd[strength=1]/0", "--store", store, "--set", AXES) == "nothing has failed\n"
