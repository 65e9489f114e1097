"""The ablation file that the README shows is one."""

from __future__ import annotations

import re
from pathlib import Path

from clpd_bench.grid.cells import cells
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_readmes_ablation_file_can_be_planned_as_it_stands(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)[0]
    file = tmp_path / "shown.yaml"
    file.write_text(text)
    ablation = load_ablation(file)
    assert len(build_plan(ablation, file).cells) == len(cells(ablation, "shown")) == 15
