"""Documents show what commands print, name what exists, and hold YAML that can be used."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.grid.load import load_ablation
from clpd_bench.grid.points import points

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "slurm" / "dev" / "README.md",
    ROOT / "reports" / "reference" / "README.md",
]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_make_targets_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`make\s([a-z0-9-]+)|^ *make ([a-z0-9-]+)\b.* #", text, flags=re.MULTILINE)
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {*map("".join, named)} <= {*targets}


@each_page
def test_source_files_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"(?:clpd_bench|tests|benchmarks)/[\w/]+(?:\.\w+)+", page.read_text())
    assert [path for path in named if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("page", ["README.md", "docs/ablation_file.md", "docs/equal.md", "docs/real_models.md"])
def test_ablations_that_a_page_names_exist(page: str) -> None:
    named = re.findall(r"ablations/[\w/]+(?:\.\w+)+", (ROOT / page).read_text())
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []


@each_page
def test_links_and_pictures_of_a_page_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", _prose(page))
    local = [target for target in map("".join, targets) if not target.startswith("https://")]
    assert [target for target in local if not _leads_somewhere(page, target)] == []


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, heading = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not heading or heading in _headings(file))


def _headings(page: Path) -> set[str]:
    """As links name them."""
    found = re.findall(r"^#+ (.*)$", _prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


@each_page
def test_yaml_of_a_page_is_yaml(page: Path) -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE):
        assert isinstance(yaml.safe_load(block), dict)


def test_the_grid_in_ablation_file_md_has_the_points_that_it_says(tmp_path: Path) -> None:
    shown = (ROOT / "docs" / "ablation_file.md").read_text().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "smoke.yaml").write_text((ROOT / "ablations" / "smoke.yaml").read_text())
    file = tmp_path / "grid.yaml"
    file.write_text(shown)
    assert len(points(load_ablation(file))) == (3 * 2 - 1) * 2


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
