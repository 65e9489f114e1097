"""The ablation of `declared_file`, and a hub's cache with nothing in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from declared_file import ablation, written

sys.path.append(str(Path(__file__).parents[2] / "distillation"))  # pretrained_like, which test_dimensions imports


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's cache of a machine that has fetched nothing."""
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    return written(tmp_path, ablation())
