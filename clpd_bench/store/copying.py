"""Taking files out of an artifact: copies, each with the hash that it was published with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError

_BLOCK = 1 << 22


def copy_files(
    artifact: Path, manifest: Mapping[str, Any], names: Mapping[str, Path], told: Callable[[int], None]
) -> None:
    """Copy files of an artifact, and compare what was read with the manifest.

    Args:
        names: {name in the manifest: where the copy goes}; its folder is made.
        told: given the bytes of each block that was copied.

    Raises:
        UserError: a file is missing or is not what was published.
        OSError: a copy cannot be written.
    """
    for name, copy in names.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        try:
            source = (artifact / name).open("rb")
        except OSError as error:
            raise damaged(artifact, f"{name}: {error.strerror}") from None
        with source, copy.open("xb") as target:
            while block := source.read(_BLOCK):
                digest.update(block)
                target.write(block)
                told(len(block))
        if digest.hexdigest() != manifest["files"][name]["sha256"]:
            raise damaged(artifact, f"{name}: changed since it was published")


def damaged(artifact: Path, problem: str) -> UserError:
    """What to say of an artifact that is not what was published."""
    return UserError(
        f"is damaged: {problem}",
        file=artifact,
        fix="clpd store verify sets aside what is damaged, and the next run makes it again",
    )
