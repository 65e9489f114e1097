"""Edited code runs again, a refactoring that its author vouches for does not, and nothing else moves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan import code_versions
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.code_versions import KINDS, code_version, record, recorded
from clpd_bench.plan.plan import Plan

PACKAGE = Path(code_versions.__file__).parents[1]


def by_text(function: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same function of a module, which parses no text a second time: that is nearly all that a hash takes."""
    known: dict[tuple[str, str], Any] = {}

    def found(module: str) -> Any:
        file = code_versions._file(module)
        key = module, file.read_text() if file else ""
        if key not in known:
            known[key] = function(module)
        return known[key]

    return found


PARSED = {name: by_text(getattr(code_versions, name).__wrapped__) for name in ("_imports", "_bare_source")}


def forget() -> None:
    for cached in (code_versions.code_hash, code_versions.recorded):
        cached.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of our package, whose code is recorded as version 1 of each kind."""
    root = tmp_path / "clpd_bench"
    shutil.copytree(PACKAGE, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_versions, "ROOT", root)
    monkeypatch.setattr(code_versions, "FILE", root / "plan" / "versions.toml")
    for name, function in PARSED.items():
        monkeypatch.setattr(code_versions, name, function)
    forget()
    code_versions.FILE.write_text("")
    record(frozenset(KINDS), frozenset())
    yield root
    forget()


def edit(package: Path, module: str) -> None:
    with (package / module).open("a") as file:
        file.write("\nEDITED = True\n")
    forget()


def make_versions(*arguments: str) -> int:
    return code_versions.main(list(arguments))


def plan_of(file: Path) -> Plan:
    return build_plan(load_ablation(file), file)


def test_recorded_code_is_a_number_in_the_key(package: Path, small: Path) -> None:
    assert {job.code for job in plan_of(small).jobs.values()} == {"1"}


@pytest.mark.parametrize(
    ("module", "reached"),
    [
        ("corpus/chained_sums.py", {"corpus"}),
        ("curriculum/pacings.py", {"model"}),
        ("jobs/difficulty.py", {"difficulty"}),
        ("jobs/targets.py", {"targets"}),
        ("evaluation/task.py", {"evaluation"}),
        ("distillation/models.py", {"difficulty", "model", "targets", "evaluation"}),
        ("corpus/reader.py", {"model", "difficulty", "targets", "evaluation"}),
        ("settings/parts/training.py", set(KINDS)),
        ("settings/base.py", set(KINDS)),
        ("plan/build.py", set()),
        ("report/report.py", set()),
    ],
)
def test_an_unrecorded_edit_changes_the_version_of_the_kinds_that_reach_it_and_of_no_other(
    package: Path, module: str, reached: set[str]
) -> None:
    edit(package, module)
    assert {kind for kind in KINDS if code_version(kind) != "1"} == reached


def test_a_refactoring_recorded_as_same_costs_no_rerun_and_a_bump_does(package: Path, small: Path) -> None:
    before = plan_of(small).jobs
    edit(package, "curriculum/pacings.py")
    edited = plan_of(small).jobs
    moved = {job.kind for key, job in before.items() if key not in edited}
    assert moved == {"model", "targets", "evaluation"}  # models, and what is made of models
    assert make_versions("--same", "model") == 0
    assert list(plan_of(small).jobs) == list(before)
    assert make_versions("--bump", "model") == 0
    bumped = plan_of(small).jobs
    assert {job.kind for key, job in before.items() if key not in bumped} == moved
    assert set(bumped).isdisjoint(key for key in edited if key not in before)
    assert {kind: one.number for kind, one in recorded().items()} == {kind: 1 + (kind == "model") for kind in KINDS}


def test_recording_one_kind_leaves_the_others_open(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(package, "settings/parts/training.py")
    make_versions("--same", "corpus,difficulty", "--bump", "targets")
    assert code_versions.mismatches() == ["model", "evaluation"]
    assert "make versions BUMP=model,evaluation" in capsys.readouterr().out
    make_versions("--same", "all")
    assert code_versions.mismatches() == []
    assert [recorded()[kind].number for kind in KINDS] == [1, 1, 1, 2, 1]


def test_the_check_fails_on_edited_code_and_tells_both_commands(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_versions("--check") == 0
    edit(package, "evaluation/task.py")
    capsys.readouterr()
    assert make_versions("--check") == 1
    told = capsys.readouterr().out
    assert "make versions BUMP=evaluation " in told
    assert "make versions SAME=evaluation " in told
    assert make_versions() == 0  # without --check it only tells


def test_comments_need_no_record(package: Path) -> None:
    with (package / "evaluation" / "task.py").open("a") as file:
        file.write("\n# a remark\n")
    forget()
    assert code_versions.mismatches() == []


def test_a_kind_without_a_record_has_its_hash_in_the_key(package: Path) -> None:
    code_versions.FILE.write_text("")
    forget()
    assert {kind: code_version(kind) for kind in KINDS} == {kind: code_versions.code_hash(kind) for kind in KINDS}
    assert code_versions.mismatches() == list(KINDS)


def test_a_merge_left_half_done_is_told_and_makes_no_plan(package: Path, small: Path) -> None:
    code_versions.FILE.write_text("<<<<<<< HEAD\n" + code_versions.FILE.read_text())
    forget()
    with pytest.raises(UserError, match=r"versions\.toml.*make versions BUMP"):
        plan_of(small)


@pytest.mark.parametrize("arguments", [["--bump", "students"], ["--bump", "model", "--same", "all"]])
def test_a_mistaken_record_is_refused_and_writes_nothing(package: Path, arguments: list[str]) -> None:
    before = code_versions.FILE.read_text()
    assert make_versions(*arguments) == 2
    assert code_versions.FILE.read_text() == before


def test_the_committed_file_matches_the_code() -> None:
    """As `make check` runs it."""
    command = [sys.executable, "-m", "clpd_bench.plan.code_versions", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stdout + done.stderr
