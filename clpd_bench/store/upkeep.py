"""What takes the space of a store: what nobody refers to is freed, and what is damaged is set aside."""

from __future__ import annotations

import os
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clpd_bench.errors import UserError
from clpd_bench.store import durable, ledger
from clpd_bench.store.store import Store

DAMAGED = "damaged"


@dataclass(frozen=True)
class Damage:
    """Attributes:
    problems: what is wrong with which file.
    place: where it was set aside; None where somebody else took it away meanwhile.
    """

    key: str
    label: str | None
    problems: list[str]
    place: Path | None


def artifact_names(root: Path) -> list[str]:
    """What stands among the artifacts, sorted."""
    folder = root / "artifacts"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def verify_all(store: Store) -> Iterator[Damage | str]:
    """Looks at every artifact: its key, or, where it is damaged and now set aside, the damage.

    Its job may run again from then on. Nothing is deleted, ever.

    Raises:
        OSError: something could not be read or moved.
    """
    for key in artifact_names(store.root):
        try:
            problems = store.verify(key)
            label = (store.manifest(key) or {}).get("label")
        except ValueError as error:  # no key at all
            problems, label = [str(error)], None
        yield Damage(key, label, problems, _set_aside(store, key)) if problems else key


def _set_aside(store: Store, key: str) -> Path | None:
    folder = store.root / DAMAGED
    durable.make_folder(folder)
    number = 1
    while (place := folder / f"{key}-{number}").exists():
        number += 1
    try:
        durable.rename(store.root / "artifacts" / key, place)
    except FileNotFoundError:
        return None
    durable.fsync_folder(store.root / "artifacts")
    durable.fsync_folder(folder)
    if os.path.lexists(store.root / "attempts" / key):
        store.retry(key)  # an attempt that published and then failed is no reason not to run
    return place


TRASH = "trash"


@dataclass(frozen=True)
class Garbage:
    """Something that can go, and why."""

    path: Path
    why: str
    bytes: int


def find_garbage(store: Store, keep: Iterable[str]) -> list[Garbage]:
    """What no plan with these keys refers to, and what attempts at published jobs left.

    Logs and records of the kept jobs' attempts stay, and so does what was set aside as damaged.

    Raises:
        UserError: somebody works on a job that would go.
    """
    keep = set(keep)
    found = []
    tried = _names(store.root / "attempts")
    for key in sorted({*artifact_names(store.root), *tried} - keep):
        if key in tried and store.state(key) == "running":
            raise UserError(
                f"somebody works on {key}, which none of the files named refers to",
                file=store.root,
                fix="Name its ablation file, too, or wait until it has ended",
            )
        for room in ("artifacts", "attempts"):
            if (store.root / room / key).exists():
                found.append((store.root / room / key, "no plan refers to it"))
    for key in sorted(keep & set(tried)):
        found += _leftovers(store, key)
    found += _unmade(store.root / "register")
    found += [(path, "left by a removal that was cut short") for path in (store.root / TRASH).glob("*")]
    return [Garbage(path, why, size_of(path)) for path, why in found]


def remove(store: Store, garbage: Iterable[Garbage]) -> int:
    """Removes it; how many bytes were freed.

    Raises:
        OSError: something could not be moved.
    """
    freed = 0
    trash = store.root / TRASH
    for item in garbage:
        place = item.path
        if place.parent != trash:
            durable.make_folder(trash)
            place = trash / f"{item.path.name}-{uuid.uuid4().hex}"
            try:
                durable.rename(item.path, place)
            except FileNotFoundError:
                continue
            durable.fsync_folder(item.path.parent)
        durable.remove_folder(place)
        freed += item.bytes
    return freed


def size_of(path: Path) -> int:
    """Bytes of the files below, of those that are still there when they are looked at."""
    if not path.is_dir() or path.is_symlink():
        return _bytes(path)
    return sum(_bytes(Path(folder) / name) for folder, _, names in os.walk(path) for name in names)


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _leftovers(store: Store, key: str) -> list[tuple[Path, str]]:
    """Outputs and checkpoints of ended attempts, once the artifact is there; claims of dead processes."""
    folder = store.root / "attempts" / key
    found = _unmade(folder)
    if store.is_done(key):
        for entry in ledger.entries(folder):
            if entry.is_attempt and store.has_ended(entry):
                rooms = [entry.folder / ledger.OUT, entry.folder / ledger.CHECKPOINTS]
                found += [(room, "the job is published") for room in rooms if room.is_dir()]
    return found


def _unmade(folder: Path) -> list[tuple[Path, str]]:
    """Entries that a process prepared and died before it could add them."""
    owners = {path: ledger.Entry(0, path).owner for path in folder.glob(f"{ledger.PREPARING}*")}
    return [
        (path, "a claim that was never made") for path, owner in owners.items() if owner and owner.runs_here() is False
    ]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


ROOMS = ("attempts", "plans", "register", "items", "diffs", "launches", "turns", "logs", DAMAGED, TRASH)


@dataclass
class Share:
    count: int = 0
    bytes: int = 0


def sizes(store: Store) -> dict[str, Share]:
    """By kind of artifact, then the store's other rooms, and `total`; no damaged file is trusted for its size."""
    shares: dict[str, Share] = defaultdict(Share)
    for key in artifact_names(store.root):
        manifest = store.manifest(key) or {}
        _add(shares[str(manifest.get("kind", "no manifest"))], size_of(store.artifact(key)))
    for room in ROOMS:
        folder = store.root / room
        for path in folder.iterdir() if folder.is_dir() else ():
            _add(shares[room], size_of(path))
    total = Share(sum(share.count for share in shares.values()), sum(share.bytes for share in shares.values()))
    return {**shares, "total": total}


def _add(share: Share, size: int) -> None:
    share.count += 1
    share.bytes += size
