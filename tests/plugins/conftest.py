"""The example ablation with its plug-ins, in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "ablations" / "plugins"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of example.yaml, mine.py beside it, that a test may change."""
    shutil.copy(EXAMPLE / "mine.py", tmp_path / "mine.py")
    return Path(shutil.copy(EXAMPLE / "example.yaml", tmp_path / "example.yaml"))
