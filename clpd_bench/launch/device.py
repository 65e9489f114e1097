"""What a worker computes on: which GPU is its own, and that it computes the same twice."""

from __future__ import annotations

import os


def set_up(place: int) -> None:
    """To be called once, before anything is computed.

    Args:
        place: of this worker among those that see the same GPUs.
    """
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_device(place % torch.cuda.device_count())
    repeatable()


def repeatable() -> None:
    """What this process computes twice is equal to the bit.

    On a CPU one thread adds in one order, and a process a core beats threads. On a GPU some kernels add as they come,
    among them those of attention's gradients: others take their place. Where there is no other, torch warns.
    """
    import torch

    if not torch.cuda.is_available():
        torch.set_num_threads(1)
        return
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Which would write each new tensor once more. (mypy does not see what this module is at run time.)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def workers_by_default() -> int:
    """One for each GPU; where there is none, one for each core."""
    import torch

    return torch.cuda.device_count() or os.cpu_count() or 1
