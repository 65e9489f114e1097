"""What takes the space of a store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from clpd_bench.store.damaged import DAMAGED, artifact_names
from clpd_bench.store.gc import TRASH, size_of
from clpd_bench.store.store import Store

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
