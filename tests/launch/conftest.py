"""Fixtures: whole runs of a tiny ablation."""

from __future__ import annotations

from pathlib import Path

import pytest
from launch_run import Run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nobody interrupted, and its report."""
    run = Run(tmp_path_factory.mktemp("finished"))
    run("run", "--workers", "2")
    run("report")
    return run


@pytest.fixture
def fresh(tmp_path: Path) -> Run:
    return Run(tmp_path)
