"""The benchmarks' own modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clpd_bench.flops import sizes

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture(autouse=True)
def chunks_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the GPU benchmark makes them smaller, in what is a process of its own elsewhere."""
    monkeypatch.setitem(sizes.CHUNK_ELEMENTS, "cuda", sizes.CHUNK_ELEMENTS["cuda"])
