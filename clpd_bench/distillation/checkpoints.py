"""Checkpoints to resume from: safetensors and JSON, complete or absent, verified when read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

KEEP = 2
HASHES = "hashes.json"
FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint on disk: its step, and the JSON state saved with it."""

    folder: Path
    step: int
    state: dict[str, Any]

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Puts weights and optimizer moments back in place."""
        weights = load_file(self.folder / "model.safetensors")
        moments = load_file(self.folder / "optimizer.safetensors")
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name])
                for full, value in moments.items():
                    owner, _, key = full.rpartition("/")
                    if owner == name:
                        # AdamW keeps its step count on the CPU and its moments beside the weights.
                        place = value if key == "step" else value.to(parameter.device)
                        optimizer.state[parameter][key] = place


def save(folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> Path:
    """Writes `folder/step-<n>` and drops all but the newest two; a kill leaves no half checkpoint
    under that name."""
    making, place = folder / f"making-{step}", folder / f"step-{step:08d}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    save_file({name: p.detach().cpu().contiguous() for p, name in names.items()}, making / "model.safetensors")
    moments = {
        f"{names[p]}/{key}": value.detach().cpu().contiguous()
        for p, entries in optimizer.state.items()
        for key, value in entries.items()
    }
    save_file(moments, making / "optimizer.safetensors")
    (making / "state.json").write_text(json.dumps({"step": step, "state": state}))
    hashes = {file.name: _sha256(file) for file in sorted(making.iterdir())}
    (making / HASHES).write_text(json.dumps(hashes))
    for file in making.iterdir():
        _fsync(file)
    if place.exists():  # one that did not verify, or the run would have gone on from it
        shutil.rmtree(place)
    making.rename(place)
    _fsync(folder)
    for old in sorted(folder.glob("step-*"))[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    return place


def newest(folders: list[Path]) -> Checkpoint | None:
    """The checkpoint with the highest step that verifies, out of any of these folders."""
    places = [place for folder in folders if folder.is_dir() for place in folder.glob("step-*")]
    for place in sorted(places, key=lambda p: p.name, reverse=True):
        checkpoint = _verified(place)
        if checkpoint:
            return checkpoint
    return None


def _verified(place: Path) -> Checkpoint | None:
    try:
        hashes = json.loads((place / HASHES).read_text())
        if all(_sha256(place / name) == hashes[name] for name in FILES):
            record = json.loads((place / "state.json").read_text())
            return Checkpoint(place, record["step"], record["state"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _sha256(file: Path) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
