"""Code versions: comments are free, code is not, and all that a job can reach is counted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from clpd_bench.plan import code_versions
from clpd_bench.plan.code_versions import bare, code_hash, import_closure

SOURCE = '''"""A module."""

import os


def f(x: int) -> str:
    """What it does."""
    text = f"""a # no comment

    {x}"""
    return text + "# neither"
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Quite another docstring,\n\nof several lines."""'),
        ('    """What it does."""\n', ""),
        ('    """What it does."""\n', '    """What it does."""  # and why\n'),
        ("import os\n", "import os  # for no reason\n"),
        ("import os\n", "# why\nimport os\n"),
        ("import os\n\n\n", "import os\n\n\n\n\n"),
        ("    return", "    # here\n\n    return"),
    ],
)
def test_comments_docstrings_and_blank_lines_change_no_version(old: str, new: str) -> None:
    assert SOURCE.count(old) == 1
    changed = SOURCE.replace(old, new)
    ast.parse(changed)
    assert bare(changed) == bare(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import os", "import sys"),
        ("x: int", "x: float"),
        ("# no comment", "# no remark"),
        ("# neither", "# either"),
        ('comment\n\n    {x}"""', 'comment\n    {x}"""'),  # a blank line inside a string
        ("no comment\n", "no comment \n"),  # white space at the end of a line inside a string
        ("    {x}", "   {x}"),
        ("    return text", "    return  text"),
        ('    """What it does."""\n', '    """What it does."""; x += 1\n'),
        ("def f(x: int) -> str:", "def g(x: int) -> str:"),
    ],
)
def test_code_changes_the_version(old: str, new: str) -> None:
    assert SOURCE.count(old) == 1
    changed = SOURCE.replace(old, new)
    ast.parse(changed)
    assert bare(changed) != bare(SOURCE)


def test_code_on_the_line_of_a_docstring_counts() -> None:
    assert bare('class A: "doc"\n') != bare('class B: "doc"\n')
    assert bare('class A: "doc"\n') == bare('class A: "another"\n')
    assert bare('x = 1; "größer"; y = 2\n') != bare('x = 1; "größer"; y = 3\n')


def test_an_odd_line_separator_shifts_no_comment() -> None:
    assert bare("x = 'a\u2028b'\ny = 1  # c\n") == bare("x = 'a\u2028b'\ny = 1  # d\n")
    assert bare("x = 'a\u2028b'\ny = 1  # c\n") != bare("x = 'a\u2028b'\ny = 2  # c\n")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package in place of ours: jobs/model.py imports a.py, which imports b.py; c.py stands apart."""
    root = tmp_path / "clpd_bench"
    files = {
        "jobs/__init__.py": "",
        "jobs/model.py": "from clpd_bench.sub import a\nimport json\n",
        "sub/__init__.py": "CONSTANT = 1\n",
        "sub/a.py": "def f() -> int:\n    from clpd_bench.sub.b import g\n\n    return g()\n",
        "sub/b.py": "def g() -> int:\n    return 1\n",
        "sub/c.py": "h = 2\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(code_versions, "ROOT", root)
    forget()
    yield root
    forget()


def forget() -> None:
    for cached in (code_versions.code_hash, code_versions._imports, code_versions._bare_source):
        cached.cache_clear()


def version() -> str:
    forget()
    return code_hash("model")


def test_the_closure_is_all_that_is_imported_directly_or_not(package: Path) -> None:
    wanted = {"clpd_bench.jobs.model", "clpd_bench.sub.a", "clpd_bench.sub.b"}
    assert import_closure("clpd_bench.jobs.model") == wanted


def test_names_beside_submodules_in_one_import_bring_the_package_itself_in(package: Path) -> None:
    (package / "jobs/model.py").write_text("from clpd_bench.sub import a, CONSTANT\n")
    assert import_closure("clpd_bench.jobs.model") >= {"clpd_bench.sub", "clpd_bench.sub.a"}


def test_code_far_down_the_closure_changes_the_version_and_code_beside_it_does_not(package: Path) -> None:
    before = version()
    (package / "sub/c.py").write_text("h = 3\n")
    assert version() == before
    (package / "sub/b.py").write_text('def g() -> int:\n    """One."""\n    return 1  # one\n')
    assert version() == before
    (package / "sub/b.py").write_text("def g() -> int:\n    return 2\n")
    assert version() != before


def test_each_kind_reaches_what_its_output_depends_on() -> None:
    reached = {kind: import_closure(f"clpd_bench.jobs.{kind}") for kind in ("corpus", "model", "targets", "evaluation")}
    assert "clpd_bench.corpus.chained_sums" in reached["corpus"]
    assert {"clpd_bench.curriculum.pacings", "clpd_bench.distillation.divergences"} <= reached["model"]
    assert "clpd_bench.distillation.models" in reached["targets"]
    assert "clpd_bench.evaluation.task" in reached["evaluation"]


def test_jobs_reach_no_plan_store_or_report() -> None:
    for kind in ("corpus", "difficulty", "model", "targets", "evaluation"):
        rooms = {name.split(".")[1] for name in import_closure(f"clpd_bench.jobs.{kind}")}
        assert rooms.isdisjoint({"plan", "store", "launch", "grid", "analysis", "reporting", "cli"})


def test_no_module_imports_relatively() -> None:
    """The closure follows absolute imports alone."""
    for file in code_versions.ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}:{node.lineno}"
