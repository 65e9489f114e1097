"""What two plug-ins, or two folders of weights, are is told by their bytes: neither by name nor by place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from clpd_bench.cli.plan_cost import job_named
from clpd_bench.errors import UserError
from clpd_bench.grid.cells import cells
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.differences import Difference, compared_pairs, differences
from clpd_bench.results.contrasts import contrasts
from clpd_bench.settings.parts.arms import identity
from clpd_bench.settings.parts.pretrained import Local
from clpd_bench.store import Store


@pytest.fixture
def two(example: Path) -> Path:
    """The example with `same/mine.py`, of the same bytes, and `other/mine.py`, of others."""
    text = example.with_name("mine.py").read_text()
    for folder, more in (("same", ""), ("other", "\n# another file\n")):
        example.with_name(folder).mkdir()
        (example.with_name(folder) / "mine.py").write_text(text + more)
    return example


def between(file: Path, *sets: str) -> dict[str, Difference]:
    """What the arms standard_kd, with `sets`, and late differ in."""
    ablation = load_ablation(file, list(sets))
    pairs = compared_pairs(ablation, cells(ablation, "example"))
    return {one.key: one for a, b in pairs if b.arm_name == "late" for one in differences(a, b)}


def rule(folder: str) -> str:
    return f'{{name: "{folder}/mine.py:late", alone: 1}}'


def test_plugins_of_one_name_in_two_folders_are_two_and_their_paths_are_told(two: Path) -> None:
    found = between(two, f"arms.standard_kd.teachers={rule('other')}", f"arms.late.teachers={rule('same')}")
    assert found["teachers"].first == f"{two.parent}/other/mine.py:late(alone=1)"
    assert found["teachers"].second == f"{two.parent}/same/mine.py:late(alone=1)"


@pytest.mark.parametrize(("folder", "differing"), [("same", False), ("other", True)])
def test_a_plugin_that_lies_elsewhere_is_the_one_that_it_was(two: Path, folder: str, differing: bool) -> None:
    its = {"loss.name": f"{folder}/mine.py:reverse_kl", "curriculum.difficulty.name": f"{folder}/mine.py:rare_digits"}
    moved = f"arms.late.differs={json.dumps(its)}"
    sets = [f"arms.standard_kd.teachers={rule('.')}", f"arms.late.teachers={rule(folder)}", moved]
    assert set(between(two, *sets)) == {"order", *(["teachers", *its] if differing else [])}
    ablation = load_ablation(two, [moved])
    assert ("loss.name" in contrasts(ablation, build_plan(ablation, two), Store(two.parent / "store")).common) == (
        not differing
    )


@pytest.mark.parametrize(("weights", "differing"), [(1, False), (2, True)])
def test_weights_are_told_apart_by_their_bytes(two: Path, weights: int, differing: bool) -> None:
    cell, starts = cells(load_ablation(two), "example")[0], []
    for folder, what in (("same", 1), ("other", weights)):
        (two.parent / folder / "config.json").write_text("{}")
        (two.parent / folder / "model.safetensors").write_bytes(save({"w": np.array([what])}))
        start = cell.student.model_copy(update={"initial": Local(name="local", folder=two.parent / folder)})
        starts.append(
            replace(cell, student=start, arm=cell.arm.model_copy(update={"differs": {"student.initial": {}}}))
        )
    assert [one.key for one in differences(*starts)] == ["student.initial.folder"] * differing


@pytest.mark.parametrize(("folder", "same"), [("same", True), ("other", False)])
def test_what_an_arm_is_and_what_is_declared_of_it_goes_by_bytes(two: Path, folder: str, same: bool) -> None:
    def what(folder: str) -> tuple[object, object]:
        sets = [f"arms.late.teachers={rule(folder)}", f'arms.late.differs={{loss.name: "{folder}/mine.py:reverse_kl"}}']
        ablation = load_ablation(two, sets)
        return identity(ablation, "late"), build_plan(ablation, two).declaration

    for mine, theirs in zip(what("."), what(folder), strict=True):
        assert (mine == theirs) == same


def test_a_label_that_several_jobs_have_names_none_of_them(two: Path) -> None:
    sets = ['arms.late.differs={curriculum.difficulty.name: "other/mine.py:rare_digits"}']
    plan = build_plan(load_ablation(two, sets), two)
    label = "difficulty mine.py:rare_digits(floor=5) of comparisons"
    keys = [key for key, job in plan.jobs.items() if job.label == label]
    with pytest.raises(UserError, match="2 jobs are called so") as told:
        job_named(plan, label)
    assert told.value.allowed == keys
    assert [job_named(plan, key).key for key in keys] == keys
