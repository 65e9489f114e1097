"""Artifacts that aren't what was published: found, and set aside for people to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clpd_bench.store import durable
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
