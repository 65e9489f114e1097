"""What is computed on, how tensors get there, and its random numbers."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def device() -> torch.device:
    """The first GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def moved(tensor: torch.Tensor, to: torch.device) -> torch.Tensor:
    """A tensor of the CPU, there. Nobody waits: a GPU takes it out of pinned memory when it comes to it."""
    return tensor.pin_memory().to(to, non_blocking=True) if to.type == "cuda" else tensor.to(to)


def own_random_numbers(of: torch.device) -> AbstractContextManager[None]:
    """While it lasts, what is drawn on the CPU and on this device moves nobody else's generators. Of other GPUs it asks
    nothing: each would be taken half a gigabyte of its memory."""
    return torch.random.fork_rng(devices=[of] if of.type == "cuda" else [])
