"""The small ablation file, in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of small.yaml that a test may change."""
    return Path(shutil.copy(SMALL, tmp_path / "small.yaml"))
