"""A step's own matrix products as plain products: what of it no code can spare on this machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from math import prod
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

Product = tuple[int, int, int, int, torch.dtype]
"""(b, m, k, n, dtype): b products of [m, k] and [k, n]."""


class Products(TorchDispatchMode):
    """While it lasts, counts the matrix products of this thread, by shape; attention's among them, over all pairs of
    tokens, as `clpd_bench.flops.passes` counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[Product] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.update(_products(function.overloadpacket.__name__, args))
        return function(*args, **(kwargs or {}))

    @property
    def flops(self) -> int:
        return sum(2 * b * m * k * n * times for (b, m, k, n, _), times in self.seen.items())


def _products(name: str, args: Any) -> Iterator[Product]:
    if name in ("mm", "bmm"):
        yield _product(args[0], args[1])
    elif name in ("addmm", "addmm_", "baddbmm"):
        yield _product(args[1], args[2])
    elif name.startswith("_scaled_dot_product"):
        backwards = name.endswith("_backward")
        query, key = args[1:3] if backwards else args[:2]
        *batch, width, size = query.shape
        pairs, mixed = (width, size, key.shape[-2]), (width, key.shape[-2], size)
        # q k^T and p v; backwards dv, dp, dq and dk.
        for shape in (pairs, mixed) * (2 if backwards else 1):
            yield (prod(batch), *shape, query.dtype)


def _product(left: torch.Tensor, right: torch.Tensor) -> Product:
    return (left.shape[0] if left.ndim == 3 else 1, left.shape[-2], left.shape[-1], right.shape[-1], left.dtype)


def seconds(products: Counter[Product], least: float = 0.05) -> float:
    """Of processor time, all products one after the other.

    Args:
        least: for how long each shape is repeated.
    """
    return sum(times * _seconds(product, least) for product, times in products.items())


def _seconds(product: Product, least: float) -> float:
    b, m, k, n, dtype = product
    left, right = torch.randn(b, m, k).to(dtype), torch.randn(b, k, n).to(dtype)
    out = torch.empty(b, m, n, dtype=dtype)
    if b == 1:
        left, right, out = left[0], right[0], out[0]
    torch.matmul(left, right, out=out)
    times: list[float] = []
    while sum(times) < least:
        began = time.process_time()
        torch.matmul(left, right, out=out)
        times.append(time.process_time() - began)
    return sorted(times)[len(times) // 2]
