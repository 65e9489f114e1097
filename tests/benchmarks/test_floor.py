"""The floor of benchmarks/step.py: what is counted as a step's own products."""

from __future__ import annotations

from pathlib import Path

import pytest
from floor import Products
from on_gpu.sizes import TINY, flops_of
from ours import SUPERVISIONS, ours


@pytest.mark.parametrize("supervision", SUPERVISIONS)
def test_the_products_of_a_step_are_the_flops_that_it_is_reckoned_at(supervision: str, tmp_path: Path) -> None:
    steps: list[int] = []
    with Products() as products:

        def tick() -> None:
            steps.append(products.flops)

        ours(TINY, supervision, 2, tmp_path)(tick)
    assert steps[1] - steps[0] == flops_of(TINY, supervision, recomputed=False)
