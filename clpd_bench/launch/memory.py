"""What a worker does with memory between two jobs: its fiftieth is to find as much as its first."""

from __future__ import annotations

import ctypes
import functools
import gc
import sys
from collections.abc import Callable


def give_memory_back() -> None:
    """To be called between two jobs: what the last one has freed goes back to the system.

    Allocators keep it for later (`job_environment`), and a worker is not alone on its machine. It also lies in pieces
    there, which do not hold the larger tensors of the next job.
    """
    # Our models are freed when the last reference goes. Circles wait for the collector, and code of a user's own
    # (plug-ins, remote code) may hold a model in one; by itself it comes late where so much has been imported.
    gc.collect()
    _set_apart(len(sys.modules))
    torch = sys.modules.get("torch")  # who has not imported it has nothing there
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if trim := _malloc_trim():
        trim(0)


@functools.cache
def _set_apart(modules: int) -> None:
    """What imports have brought stays to the end, and takes .3 s to be looked through for garbage: once for each
    number of imported modules, what there is now is looked through no more."""
    gc.freeze()


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's, which other C libraries lack. Tensors come out of its heap, which would shrink by itself from its end
    alone: one small object there keeps all that was freed below it."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
