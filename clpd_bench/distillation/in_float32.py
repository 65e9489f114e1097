"""A model that computes in float32 for a while, whatever its weights are kept in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

COARSER = (torch.bfloat16, torch.float16)
WIDE_KERNELS = ("sdpa", "eager", None)


@contextmanager
def in_float32(model: PreTrainedModel) -> Iterator[None]:
    """Each module's own parameters are float32 during its forward, so memory grows by one module and not by a model.

    The weights are the same tensors afterwards. Buffers stay as they are.

    Raises:
        ValueError: the model's attention kernel knows no float32.
    """
    if model.config._attn_implementation not in WIDE_KERNELS:
        raise ValueError(f"{model.config._attn_implementation} does not compute in float32")
    # A stack, as two modules may hold one parameter, and one of them the other.
    replaced: list[list[tuple[nn.Parameter, torch.Tensor]]] = []

    def widen(module: nn.Module, args: Any) -> None:
        own = [p for p in module.parameters(recurse=False) if p.dtype in COARSER]
        replaced.append([(p, p.data) for p in own])
        for p in own:
            p.data = p.data.float()

    def restore(module: nn.Module, args: Any, output: Any) -> None:
        for p, data in replaced.pop():
            p.data = data

    handles = []
    for module in model.modules():
        if any(p.dtype in COARSER for p in module.parameters(recurse=False)):
            handles.append(module.register_forward_pre_hook(widen))
            handles.append(module.register_forward_hook(restore, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for own in reversed(replaced):
            for p, data in own:
                p.data = data
