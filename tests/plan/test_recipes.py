"""The recipes of CONTRIBUTING.md work: a new named thing is known by its settings and its function alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPES = re.findall(r"^```diff\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL | re.MULTILINE)
CHANGES = (
    ("stages: 2, difficulty: cot_tokens, pacing: {name: blend, strength: 0.6}",
     "stages: 3, difficulty: response_tokens, pacing: partition"),
    ("loss: {name: forward_kl}", "loss: {name: reverse_kl, temperature: 2}\ntargets: {temperatures: [2]}"),
    ("seeds: [0, 1]", "  new: {order: middle_first, teachers: alternating}\nseeds: [0, 1]"),
)  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_touches_two_files(recipe: str) -> None:
    files = re.findall(r"^\+\+\+ b/(\S+)$", recipe, flags=re.MULTILINE)
    assert len(files) == 2
    assert [Path(file).parts[:2] == ("clpd_bench", "settings") for file in files] == [True, False]


def test_what_the_recipes_add_is_planned_costed_and_trained(small: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "clpd_bench", copy / "clpd_bench")
    subprocess.run(
        ["git", "apply"],
        cwd=copy,
        input="".join(RECIPES),
        text=True,
        check=True,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)},  # in a repository it would skip files unasked
    )
    text = small.read_text()
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new)
    small.write_text(text)
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("with_recipes.py"), small, tmp_path / "store"],
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout)
    assert Path(came["package"]).is_relative_to(copy)
    assert came["state"] == "done"
    assert came["flops"] > 0
    assert "loss reverse_kl goes over the whole vocabulary, and of each teacher 4 tokens are kept" in came["refused"]
    shown, taught = Counter[tuple[int, int]](), set[tuple[int, int]]()
    for row in came["exposure"]:
        shown[row["stage"], row["bucket"]] += row["presentations"]
        taught.add((row["stage"], row["teacher"]))
    # A stage of the steps ends within one example of a stage of the pacing.
    most = {stage: max((1, 2, 3), key=lambda bucket, k=stage: shown[k, bucket]) for stage in (1, 2, 3)}
    assert most == {1: 2, 2: 1, 3: 3}
    assert taught == {(1, 1), (2, 2), (3, 1)}
