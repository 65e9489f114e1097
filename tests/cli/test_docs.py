"""Output shown in documents is what the command beside it prints."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clpd_bench.cli.app import app

ROOT = Path(__file__).parents[2]


def test_the_plan_in_equal_md_is_what_its_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = (ROOT / "docs" / "equal.md").read_text().split("```\n")[1]
    command, _, expected = shown.partition("\n")
    arguments = shlex.split(command.removeprefix("$ clpd "))
    result = CliRunner().invoke(app, arguments, env={"CLPD_STORE": str(tmp_path / "store")})
    assert result.exit_code == 0, result.output
    assert [line.rstrip() for line in result.stdout.split("\n")] == expected.split("\n")


@pytest.mark.parametrize("file", ["slurm.md", "reliability.md"])
def test_tests_that_a_document_names_exist(file: str) -> None:
    code = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / file).read_text())
    assert named
    assert [name for name in named if f"def {name}(" not in code] == []


def test_the_file_in_real_models_md_plans_without_weights_or_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    shown = (ROOT / "docs" / "real_models.md").read_text().split("```yaml\n")[1].split("```")[0]
    file = tmp_path / "own.yaml"
    file.write_text(shown.replace("<commit>", "c0ffee0123" * 4))
    result = CliRunner().invoke(app, ["plan", str(file), "--json"], env={"CLPD_STORE": str(tmp_path / "store")})
    assert result.exit_code == 0, result.output
    assert sum(job["kind"] == "model" for job in json.loads(result.stdout)["jobs"]) == 3 + 2 + 25
