"""`clpd status --watch` where there is no terminal: a line a change, and an end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from canned_slurm import CannedSlurm
from rich.console import Console

from clpd_bench.cli import status_text as module
from clpd_bench.cli.status_text import watch
from clpd_bench.launch.slurm.view import Observer

RUNNING = "1|1|RUNNING|None|clpd:LAUNCH/0"


def watched(slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch, looks: list[list[str] | None]) -> list[str]:
    """The lines printed while squeue answers so, one answer a look."""
    rest = iter(looks)
    out = io.StringIO()
    observer = Observer(slurm.plan, slurm.store.root)

    def look():
        slurm.squeue = next(rest)
        return observer.look()

    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    watch(look, 10, Console(file=out, width=300))
    assert next(rest, "all answers used") == "all answers used"
    return out.getvalue().splitlines()


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CannedSlurm:
    canned = CannedSlurm(tmp_path, monkeypatch)
    canned.launch([["model small"]])
    return canned


def test_a_line_is_printed_when_something_changed_and_it_ends_when_nobody_is_left_by_a_canned_squeue(
    slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = "1|1|PENDING|Priority|clpd:LAUNCH/0"
    # A failing squeue and one look at nobody are not the end.
    lines = watched(slurm, monkeypatch, [[pending], [pending], [RUNNING], None, [], [RUNNING], [], []])
    said = [line.split("  ", 1)[1] for line in lines]
    assert len(said) == 6
    assert "1 pending job is in Slurm: 1 Priority" in said[0]
    assert "behind others in a running job" in said[1]
    assert "Slurm's queue is not known" in said[2]
    assert said[4] == said[1]
    assert slurm.calls.count("squeue") == 8


def test_where_nothing_can_run_any_more_one_look_is_enough(slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in slurm.plan.jobs:
        with slurm.store.claim(key) as attempt:
            attempt.publish({"seconds": 1.0})
    assert len(watched(slurm, monkeypatch, [[]])) == 1
