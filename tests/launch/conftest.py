"""Fixtures: whole runs of a tiny ablation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from launch_run import Run

Shared = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="module")
def finished(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nobody interrupted, and its report: a copy for each file of tests."""

    def make(folder: Path) -> None:
        run = Run(folder)
        run("run")
        run("report")

    made = shared("a finished run of the tiny ablation", make)
    return Run(Path(shutil.copytree(made, tmp_path_factory.mktemp("finished") / "run")))
