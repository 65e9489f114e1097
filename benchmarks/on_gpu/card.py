"""The card: what it is, what it reaches at most, and how time and memory on it are taken."""

from __future__ import annotations

import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from on_gpu.results import Case, Values

PACKAGES = ("torch", "transformers", "triton", "trl", "liger-kernel", "lm-eval", "datasets", "accelerate", "numpy")
DENSE_BF16 = {"H200": 989e12, "H100": 989e12, "A100": 312e12}
"""FLOPs a second, by NVIDIA's datasheets of the SXM parts."""
GIB = 2**30
HERE = Path(__file__).parent


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    yield Case("versions", partial(_versions, device))
    yield Case("ceilings", partial(_ceilings, device))


def _versions(device: str) -> tuple[Values, None]:
    values: Values = {"device": name(device), "python": platform.python_version()}
    if device == "cuda":
        values["memory_gib"] = torch.cuda.get_device_properties(0).total_memory / GIB
        values["driver"] = _said_by("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
        values["cuda"] = torch.version.cuda
    values |= {package: _version(package) for package in PACKAGES}
    values["commit"] = _said_by("git", "describe", "--always", "--dirty")
    return values, None


def _said_by(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, cwd=HERE).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else f"cpu ({platform.machine()})"


def _ceilings(device: str) -> tuple[Values, None]:
    size = 2**31 if device == "cuda" else 2**24
    source = torch.randint(256, (size,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copied = 2 * size / median_seconds(lambda: target.copy_(source), device)  # read and written
    sheet = datasheet_peak(device)
    values: Values = {"copy_tb_per_second": copied / 1e12, "bfloat16_tflops": matmul_peak(device) / 1e12}
    values["float32_tflops"] = matmul_peak(device, "float32") / 1e12
    values["datasheet_bfloat16_tflops"] = None if sheet is None else sheet / 1e12
    return values, None


@cache
def matmul_peak(device: str, dtype: str = "bfloat16") -> float:
    """FLOPs a second of a product [n, n] x [n, n] of random numbers: the ceiling of a step."""
    n = 8192 if device == "cuda" else 256
    left, right = (torch.randn(n, n, device=device).to(getattr(torch, dtype)) for _ in range(2))
    return 2 * n**3 / median_seconds(lambda: left @ right, device)


def datasheet_peak(device: str) -> float | None:
    """Of bfloat16; None of a card that is not in `DENSE_BF16`."""
    words = name(device).replace("-", " ").split()
    return next((flops for card, flops in DENSE_BF16.items() if card in words), None)


def median_seconds(
    work: Callable[[], object], device: str, least: int = 5, most: int = 20, budget: float = 0.5
) -> float:
    """Wall time, the device's work done: what a host that cannot keep up costs is part of it.

    Args:
        least, most: repeats, after two that warm up.
        budget: seconds after which no more than `least` repeats are made.
    """
    for _ in range(2):
        work()
    times: list[float] = []
    while len(times) < least or (len(times) < most and sum(times) < budget):
        synchronize(device)
        began = time.perf_counter()
        work()
        synchronize(device)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def allocated(device: str) -> int | None:
    return torch.cuda.memory_allocated() if device == "cuda" else None


def forget_peak(device: str) -> None:
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def peak_since(device: str, before: int | None) -> int | None:
    """Bytes of tensors at the peak since it was forgotten, beyond what was there before; None on a CPU."""
    return None if before is None else torch.cuda.max_memory_allocated() - before


def ratio(measured: float | None, expected: float | None) -> float | None:
    return None if measured is None or not expected else measured / expected
