from __future__ import annotations

import pytest

from clpd_bench.flops import sizes


@pytest.fixture(autouse=True)
def chunks_of_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is worked out for a GPU, and here it is measured on the CPU."""
    monkeypatch.setitem(sizes.CHUNK_ELEMENTS, "cuda", sizes.CHUNK_ELEMENTS["cpu"])
