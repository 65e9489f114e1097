"""Checkpoints to resume from, and models kept on the way: complete or absent, verified when read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterator
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
                        # AdamW keeps its moments beside the weights, and its step count on the CPU unless it is fused.
                        here = key == "step" and not optimizer.defaults["fused"]
                        optimizer.state[parameter][key] = value if here else value.to(parameter.device)


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


class KeptModels:
    """Args:
    folder: for this attempt's own.
    earlier: folders of earlier attempts; never written into.
    write: puts the model as it is into a folder.
    """

    def __init__(self, folder: Path, earlier: list[Path], write: Callable[[Path], None]) -> None:
        self._folder, self._write = folder, write
        self._places = [folder, *earlier]

    def keep(self, step: int) -> None:
        making = self._making(step)
        self._write(making)
        hashes = {str(file.relative_to(making)): sha256(file) for file in sorted(making.rglob("*")) if file.is_file()}
        (making / HASHES).write_text(json.dumps(hashes))
        self._put(making, step)

    def has(self, step: int) -> bool:
        """Whether any attempt has kept it."""
        return self._find(step) is not None

    def bring(self, step: int) -> bool:
        """Copies one that only an earlier attempt has kept, and may drop, into this attempt's folder; whether
        it is there now."""
        place = self._find(step)
        if place is None or place.parent == self._folder:
            return place is not None
        making = self._making(step)
        try:
            shutil.copytree(place, making, dirs_exist_ok=True)
        except OSError:  # dropped at this moment
            return False
        if not _verifies(making):
            return False
        self._put(making, step)
        return True

    def drop_all_but(self, steps: Collection[int | None]) -> None:
        """Of this attempt's own."""
        wanted = {_place(self._folder, step) for step in steps if step is not None}
        for place in set(matching(self._folder, "kept-*")) - wanted:
            shutil.rmtree(place, ignore_errors=True)

    def copy(self, step: int, to: Path) -> None:
        """
        Raises:
            FileNotFoundError: no attempt has kept that step.
        """
        place = self._find(step)
        if place is None:
            raise FileNotFoundError(f"no model of step {step} is kept in {self._folder}, nor in earlier attempts")
        shutil.copytree(place, to, ignore=shutil.ignore_patterns(HASHES), dirs_exist_ok=True)

    def _making(self, step: int) -> Path:
        """An empty folder to fill."""
        making = self._folder / f"making-kept-{step}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        return making

    def _put(self, making: Path, step: int) -> None:
        for path in (*making.rglob("*"), making):
            fsync(path)
        place = _place(self._folder, step)
        shutil.rmtree(place, ignore_errors=True)
        making.rename(place)
        fsync(self._folder)

    def _find(self, step: int) -> Path | None:
        return next((place for folder in self._places if _verifies(place := _place(folder, step))), None)


def _place(folder: Path, step: int) -> Path:
    return folder / f"kept-{step}"


def _verifies(folder: Path) -> bool:
    try:
        hashes: dict[str, str] = json.loads((folder / HASHES).read_text())
        return all(sha256(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError):
        return False
