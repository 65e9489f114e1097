"""Fixtures: whole runs of a tiny ablation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from launch_run import FINISHED, Run, finish

Shared = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="module")
def finished(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy for each file of tests."""
    made = shared(FINISHED, finish)
    return Run(Path(shutil.copytree(made, tmp_path_factory.mktemp("finished") / "run")))
