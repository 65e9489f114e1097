"""`plan` and `status` say that the teachers do not rise as soon as their validation is in the store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store

LOSSES = {"small": 0.55, "large": 0.30}
REVERSED = ["--set", "teachers=[large, small]"]
TOLD = "Warning: the teachers do not rise: large 0.3, small 0.55"


@pytest.fixture
def store(small: Path, tmp_path: Path) -> Path:
    """Of the ablation's jobs, the validation of its teachers alone."""
    plan, store = build_plan(load_ablation(small), small), Store(tmp_path / "store")
    (ladder,) = plan.ladders
    for name, key in ladder.teachers:
        attempt = store.claim(key)
        assert attempt
        with attempt:
            attempt.out.mkdir(exist_ok=True)
            row = {"item": "a", "metric": "response_loss", "filter": "none", "score": LOSSES[name]}
            pq.write_table(
                pa.Table.from_pylist([row, {**row, "metric": "other", "score": 9.0}]), attempt.out / "items.parquet"
            )
            attempt.publish(
                {"kind": "evaluation", "label": f"validation of teacher {name}", "seconds": 1.0, "details": {}}
            )
    return store.root


def said(verb: str, file: Path, store: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, [verb, str(file), "--store", str(store), *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("verb", ["plan", "status"])
def test_a_wrong_order_of_teachers_is_the_first_thing_that_is_said(small: Path, store: Path, verb: str) -> None:
    assert said(verb, small, store, *REVERSED).startswith(TOLD)
    assert "do not rise" not in said(verb, small, store)
    assert "do not rise" not in said(verb, small, store.with_name("empty"), *REVERSED)


@pytest.mark.parametrize("verb", ["plan", "status"])
def test_machines_are_told_scores_and_whether_they_rise(small: Path, store: Path, verb: str) -> None:
    def ladder(*arguments: str, of: Path = store) -> dict[str, Any]:
        (found,) = json.loads(said(verb, small, of, "--json", *arguments))["ladders"]
        return dict(found)

    assert ladder() == {
        "point": "", "corpus": "sums", "metric": "response_loss", "filter": None, "rises": True,
        "teachers": [{"name": "small", "score": 0.55}, {"name": "large", "score": 0.30}],
    }  # fmt: skip
    assert ladder(*REVERSED)["rises"] is False
    assert ladder(of=store.with_name("empty"))["rises"] is None


def test_reading_the_scores_imports_nothing_that_is_slow_to_load(small: Path, store: Path) -> None:
    program = (
        "import sys\n"
        "from clpd_bench.cli import app as cli\n"
        "try:\n    cli.main()\n"
        "except SystemExit as left:\n    assert not left.code, left.code\n"
        "assert not {'pandas', 'torch', 'scipy'} & {*sys.modules}\n"
    )
    arguments = ["status", str(small), "--store", str(store), *REVERSED]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert TOLD in done.stdout
