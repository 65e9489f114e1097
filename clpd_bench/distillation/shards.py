"""Work in units, and shards that keep the results of those that are done for a later attempt.

A shard is one safetensors file with its sha256 in its name: complete or absent, and not used unless it
verifies. It is written into an attempt's own folder only; a later attempt reads those of all before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from clpd_bench.distillation.context import Context
from clpd_bench.distillation.files import fsync, matching, sha256
from clpd_bench.errors import Interrupted

SAVE_SECONDS = 60.0
SAVE_BYTES = 2**28
"""Results that wait to be saved: no more than these bytes and one unit's, whatever the seconds."""

Tensors = dict[str, torch.Tensor]
Keep = Callable[[str, Callable[[], Tensors]], Tensors]
"""(unit, what computes it) -> its result: contiguous, on the CPU. The name of a unit says on what it is
computed, so that attempts which cut the work otherwise do not take it for theirs."""


def compute(unit: str, result: Callable[[], Tensors]) -> Tensors:
    """The `Keep` that keeps nothing."""
    return result()


class Shards:
    """Those of one attempt, beside its checkpoints; those of earlier ones are read, and never written into."""

    def __init__(self, context: Context) -> None:
        self._folder = context.checkpoints
        self._should_stop, self._checkpointed = context.should_stop, context.checkpointed
        self._saved: dict[str, Path] = {}
        for place in (context.checkpoints, *context.earlier):
            for shard in matching(place, "shard-*.safetensors"):
                self._saved.update(dict.fromkeys(_units(shard), shard))
        self._unsaved: dict[str, Tensors] = {}
        self._bytes, self._saved_at = 0, time.monotonic()

    def keep(self, unit: str, result: Callable[[], Tensors]) -> Tensors:
        """The result of a unit, read where an attempt saved it, or else computed and saved in time.

        Raises:
            Interrupted: asked to stop; all that was computed is saved.
        """
        tensors = self._read(unit)
        if tensors is None:
            tensors = self._unsaved[unit] = result()
            self._bytes += sum(tensor.nbytes for tensor in tensors.values())
        leaving = self._should_stop()
        is_time = time.monotonic() - self._saved_at >= SAVE_SECONDS or self._bytes >= SAVE_BYTES
        if self._unsaved and (leaving or is_time):
            self._save()
        if leaving:
            raise Interrupted("stopped between two batches")
        return tensors

    def _read(self, unit: str) -> Tensors | None:
        shard = self._saved.get(unit)
        if shard is None:
            return None
        try:
            with safe_open(shard, "pt") as f:
                names = [name for name in f.keys() if _unit(name) == unit]  # noqa: SIM118 (it is no mapping)
                return {name.removeprefix(f"{unit}/"): f.get_tensor(name) for name in names}
        except (OSError, SafetensorError):
            # An attempt that was taken for dead and was not has published, and dropped its shards.
            return None

    def _save(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        making = self._folder / "making-shard"
        save_file({f"{unit}/{name}": t for unit, ts in self._unsaved.items() for name, t in ts.items()}, making)
        fsync(making)
        making.rename(self._folder / f"shard-{sha256(making)}.safetensors")
        fsync(self._folder)
        self._checkpointed()
        self._unsaved, self._bytes, self._saved_at = {}, 0, time.monotonic()


def _units(shard: Path) -> set[str]:
    """What is in a shard; nothing, where it does not verify."""
    try:
        if shard.stem != f"shard-{sha256(shard)}":
            return set()
        with safe_open(shard, "pt") as f:
            return {_unit(name) for name in f.keys()}  # noqa: SIM118 (it is no mapping)
    except (OSError, SafetensorError):
        return set()


def _unit(name: str) -> str:
    return name.rpartition("/")[0]
