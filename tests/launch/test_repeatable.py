"""Workers compute the same twice, each on its own device."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from clpd_bench.launch.device import repeatable, set_up, workers_by_default
from clpd_bench.launch.processes import job_environment


@pytest.fixture
def as_it_was() -> Iterator[None]:
    threads, filled = torch.get_num_threads(), torch.utils.deterministic.fill_uninitialized_memory
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = filled


def test_kernels_add_in_one_order_on_a_gpu_that_is_a_mock(as_it_was: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    repeatable()
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled(), "an operation without such a kernel would end the job"
    assert not torch.utils.deterministic.fill_uninitialized_memory
    # Without it, cuBLAS has no promise to give (torch's notes on reproducibility).
    assert job_environment()["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_workers_take_gpus_in_turn_where_these_are_mocks(as_it_was: None, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    assert workers_by_default() == 2
    for place in range(5):
        set_up(place)
    assert taken == [0, 1, 0, 1, 0]


def test_one_thread_adds_in_one_order_on_a_cpu(as_it_was: None) -> None:
    torch.set_num_threads(2)
    repeatable()
    assert torch.get_num_threads() == 1
    assert not torch.are_deterministic_algorithms_enabled()
