"""Worlds that are dear to make, each made once a test run, whichever process asks first; and no waiting for disks."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

APART = 4
"""Places between two files that wait."""
Shared = Callable[[str, Callable[[Path], object]], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for Slurm come first, each with others behind it: whoever waits leaves a processor to the other
    worker, and at the end nobody is waited for."""
    files = list(dict.fromkeys(item.path for item in items))
    waiting = [file for file in files if file.parent.name == "slurm"]
    others = [file for file in files if file not in waiting]
    for place, file in enumerate(waiting):
        others.insert(place * APART, file)
    items.sort(key=lambda item: others.index(item.path))


def pytest_collection(session: pytest.Session) -> None:
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """What collecting has imported stays to the end: nobody looks through it for garbage again and again, and
    a forked child does not copy it."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _no_power_cuts() -> Iterator[None]:
    """Nobody waits for the disk: what is killed loses nothing that the kernel has, and `durable.before` tells what
    is to be on the disk when."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """`shared(name, make)`: a folder that `make(folder)` has filled, once for all processes of this test run.

    Tests only read what lies in it. Where `make` fails, the next who asks tries again in an empty folder.
    """
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    root.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with FileLock(root / f"{name}.lock"):
            if not done.exists():
                if folder.exists():
                    shutil.rmtree(folder)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made
