"""Checkpoints to resume from: safetensors and JSON, complete or absent, verified when read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from clpd_bench.distillation.files import fsync, matching, sha256

KEEP = 2
HASHES = "hashes.json"
FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint on disk: its step, and the JSON state saved with it."""

    folder: Path
    step: int
    state: dict[str, Any]

    def restore(self, weights: dict[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
        """Puts the weights that are trained and optimizer moments back in place.

        Raises:
            OSError, SafetensorError: it is gone by now; nothing was put anywhere.
        """
        stored = load_file(self.folder / "model.safetensors")
        moments = load_file(self.folder / "optimizer.safetensors")
        with torch.no_grad():
            for name, parameter in weights.items():
                parameter.copy_(stored[name])
                for full, value in moments.items():
                    owner, _, key = full.rpartition("/")
                    if owner == name:
                        # AdamW keeps its step count on the CPU and its moments beside the weights.
                        place = value if key == "step" else value.to(parameter.device)
                        optimizer.state[parameter][key] = place


def save(
    folder: Path,
    step: int,
    weights: dict[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
) -> Path:
    """Writes `folder/step-<n>` and drops all but the newest two; a kill leaves no half checkpoint
    under that name."""
    making, place = folder / f"making-{step}", folder / f"step-{step:08d}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in weights.items()}
    save_file({name: p.detach().cpu().contiguous() for name, p in weights.items()}, making / "model.safetensors")
    moments = {
        f"{names[p]}/{key}": value.detach().cpu().contiguous()
        for p, entries in optimizer.state.items()
        for key, value in entries.items()
    }
    save_file(moments, making / "optimizer.safetensors")
    (making / "state.json").write_text(json.dumps({"step": step, "state": state}))
    hashes = {file.name: sha256(file) for file in sorted(making.iterdir())}
    (making / HASHES).write_text(json.dumps(hashes))
    for file in making.iterdir():
        fsync(file)
    if place.exists():  # one that did not verify, or the run would have gone on from it
        shutil.rmtree(place)
    making.rename(place)
    fsync(folder)
    for old in sorted(folder.glob("step-*"))[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    return place


def newest_first(folders: list[Path]) -> Iterator[Checkpoint]:
    """The checkpoints that verify, out of all of these folders, from the highest step down."""
    tried: set[Path] = set()
    # Listed anew each time: an attempt that was taken for dead and is not drops old ones, and adds newer.
    while places := {place for folder in folders for place in matching(folder, "step-*")} - tried:
        place = max(places, key=lambda p: p.name)
        tried.add(place)
        if checkpoint := _verified(place):
            yield checkpoint


def restore_newest(
    folders: list[Path],
    weights: dict[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    usable: Callable[[Checkpoint], bool] = lambda checkpoint: True,
) -> Checkpoint | None:
    """Restores the newest checkpoint that verifies and is usable, or, where that vanishes meanwhile, the next;
    which one it was."""
    for checkpoint in newest_first(folders):
        if not usable(checkpoint):
            continue
        try:
            checkpoint.restore(weights, optimizer)
            return checkpoint
        except (OSError, SafetensorError):
            continue
    return None


def _verified(place: Path) -> Checkpoint | None:
    try:
        hashes = json.loads((place / HASHES).read_text())
        if all(sha256(place / name) == hashes[name] for name in FILES):
            record = json.loads((place / "state.json").read_text())
            return Checkpoint(place, record["step"], record["state"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
