"""What the README shows can be done as it is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clpd_bench.grid.cells import cells
from clpd_bench.grid.load import load_ablation
from clpd_bench.grid.points import points
from clpd_bench.plan.build import build_plan

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_readmes_ablation_file_can_be_planned_as_it_stands(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)[0]
    file = tmp_path / "shown.yaml"
    file.write_text(text)
    ablation = load_ablation(file)
    assert len(build_plan(ablation, file).cells) == len(cells(ablation, "shown")) == 15


def test_readmes_grid_has_the_points_that_it_says(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)[1]
    (tmp_path / "smoke.yaml").write_text((ROOT / "ablations" / "smoke.yaml").read_text())
    file = tmp_path / "grid.yaml"
    file.write_text(text)
    assert len(points(load_ablation(file))) == (3 * 2 - 1) * 2


@pytest.mark.parametrize("target", re.findall(r"(?:`|^)make ([a-z0-9-]+)", README, flags=re.MULTILINE))
def test_make_targets_that_the_readme_names_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("path", re.findall(r"(?:ablations|clpd_bench)/[\w/]+(?:\.\w+)+", README))
def test_files_that_the_readme_names_exist(path: str) -> None:
    assert (ROOT / path).is_file()
