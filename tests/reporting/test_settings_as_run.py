"""A page's settings are those that jobs were run with, and what the file has otherwise by now is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fabricated_report import World
from page_text import Page

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.results.compared import FieldDifference, recorded
from clpd_bench.results.contrasts import contrasts
from clpd_bench.results.provenance import OLDER, Provenance, RunOtherwise, provenance
from clpd_bench.results.sides import two_sides

COMPARED = ["standard_kd", "clpd"]
MICRO = "training.micro_batch_tokens"


def with_spec(folder: Path, label: str, key: str, value: object) -> World:
    """A finished store in which one job was run with another value of one setting; None: with one of an older form."""
    world = World(folder, curves=False, undone=(label,))
    (job,) = (job for job in world.plan.jobs.values() if job.label == label)
    spec: dict[str, Any] = job.spec.model_dump(mode="json")
    *parents, last = key.split(".")
    inner = spec
    for parent in parents:
        inner = inner[parent]
    assert last in inner
    inner[last] = value
    world.fields[label], world.undone = {"spec": spec}, ()
    world.fill(world.plan)
    return world


def found(world: World) -> Provenance:
    return provenance(world.plan, world.store, COMPARED)


@pytest.mark.parametrize(
    ("key", "was", "value"),
    [
        (MICRO, "8192", 100),
        ("training.activation_checkpointing", "False", True),
        ("training.checkpoint_seconds", "60.0", 1.0),
        ("on_divergence", "fail", "keep_last"),
    ],
)
def test_a_setting_in_no_key_in_which_compared_cells_differ_is_listed(
    tmp_path: Path, key: str, was: str, value: object
) -> None:
    (varied,) = found(with_spec(tmp_path, "student clpd/1", key, value)).differing
    assert varied.field == f"student: settings.{key}"
    cells = dict(varied.values)
    assert cells[str(value)] == ["clpd/1"]
    assert len(cells[was]) == 5


@pytest.mark.parametrize(
    ("label", "kind", "key"),
    [("targets of small on sums", "targets", "batch_tokens"), ("model small", "model", MICRO)],
)
def test_so_are_those_of_targets_and_teachers(tmp_path: Path, label: str, kind: str, key: str) -> None:
    world = with_spec(tmp_path, label, key, 100)
    (varied,) = found(world).differing
    assert varied.field == f"{kind}: settings.{key}"
    assert dict(varied.values)["100"] == [label]
    assert found(world).otherwise == [RunOtherwise(f"{kind}: {key}", "8192", "100", [label])]


def test_what_the_file_has_otherwise_now_is_said_and_the_settings_shown_are_those_of_the_run(tmp_path: Path) -> None:
    world, file = World(tmp_path, curves=False), tmp_path / "tiny.yaml"
    world.report()
    assert found(world).otherwise == []
    before = list(world.plan.jobs)
    world.ablation = load_ablation(file, [f"student.{MICRO}=100"])
    world.plan = build_plan(world.ablation, file)
    assert list(world.plan.jobs) == before
    (one,) = found(world).otherwise
    assert (one.setting, one.now, one.then) == (f"model: {MICRO}", "100", "8192")
    assert set(one.jobs) == {job.label for job in world.plan.jobs.values() if job.label.startswith("student ")}
    assert contrasts(world.ablation, world.plan, world.store).common[f"student.{MICRO}"] == 8192
    page = Page(world.report("again").page)
    assert f"model: {MICRO}" in page.sections["provenance"]
    assert "jobs were run with other settings" in page.sections["rerun"]


def test_arms_that_were_run_with_other_settings_differ_in_them_and_refuse_no_report(tmp_path: Path) -> None:
    world = with_spec(tmp_path, "student clpd/0", MICRO, 100)
    (pair,) = (one for one in contrasts(world.ablation, world.plan, world.store).pairs if one.arm == "clpd")
    assert (f"student.{MICRO}", 8192, 100) in {(one.key, one.first, one.second) for one in pair.differences}


def test_settings_of_a_form_that_is_no_longer_read_are_told_as_that(tmp_path: Path) -> None:
    world = with_spec(tmp_path, "student clpd/1", "seed", "none")
    (varied,) = (one for one in found(world).differing if one.field == "student: settings")
    assert dict(varied.values)[OLDER] == ["clpd/1"]
    (one,) = found(world).otherwise
    assert (one.then, one.jobs) == (OLDER, ["student clpd/1"])


def test_two_stores_that_ran_one_key_with_other_settings_are_told_apart(tmp_path: Path) -> None:
    mine, theirs = World(tmp_path / "a", curves=False), with_spec(tmp_path / "b", "student clpd/1", MICRO, 100)
    one, other = two_sides(mine.plan, mine.store, theirs.plan, theirs.store)
    assert FieldDifference("student", f"settings.{MICRO}", "8192", "100", ["clpd/1"]) in recorded(one, other)


def test_jobs_of_one_label_are_not_one_job(tmp_path: Path) -> None:
    """Two difficulties of plug-ins of one name: the environment of each is told."""
    text = (Path(__file__).parents[2] / "ablations" / "plugins" / "mine.py").read_text()
    for folder, more in (("one", ""), ("other", "\n# another file\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(text + more)

    one, other = (f'{{name: "{folder}/mine.py:rare_digits", floor: 5}}' for folder in ("one", "other"))
    arms = f"  other: {{like: clpd, differs: {{curriculum.difficulty: {other}}}}}\n"
    edits = {"difficulty: cot_tokens": f"difficulty: {one}"}
    world = World(tmp_path, curves=False, arms=arms, edits=edits)
    labels = [job.label for job in world.plan.jobs.values()]
    assert len(set(labels)) < len(labels)
    (git,) = (one for one in found(world).environment if one.field == "git")
    assert len(git.values[0][1]) == len(labels)
