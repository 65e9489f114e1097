"""Sealing, publishing and verifying what a job leaves behind, and taking copies of it out."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.store import durable
from clpd_bench.store.clock import now

_logger = logging.getLogger(__name__)
_MANIFEST = "manifest.json"


def read_manifest(artifact: Path) -> dict[str, Any] | None:
    """The manifest of an artifact, None if it isn't published."""
    return durable.read_json(artifact / _MANIFEST)


def seal(out: Path, manifest: Mapping[str, Any]) -> None:
    """Bring all files of `out` to the disk and the manifest with their hashes after them.

    Raises:
        ValueError: there is a symbolic link (an artifact stands for itself, here and in a bundle),
            or a `manifest.json` that the store did not write.
    """
    earlier = read_manifest(out)
    own = earlier is not None and earlier.get("attempt") == manifest["attempt"]
    if (out / _MANIFEST).exists() and not own:
        raise ValueError(f"{out / _MANIFEST}: this name is the store's, the job can't use it")
    links = [path for path in out.rglob("*") if path.is_symlink()]
    if links:
        raise ValueError(f"{links[0]}: an artifact can't hold symbolic links")
    files = {name: _fingerprint(out / name, sync=True) for name in _names(out)}
    for folder, _, _ in os.walk(out, topdown=False):
        durable.fsync_folder(Path(folder))
    durable.write_json(out / _MANIFEST, {**manifest, "files": files, "created": now()})


def publish(out: Path, artifact: Path) -> bool:
    """Make a sealed `out` the artifact. False if another one is there already: `out` is removed.

    Raises:
        UserError: there is something that is not an artifact.
        OSError: the rename was refused for another reason.
    """
    manifest = read_manifest(out)
    assert manifest is not None
    durable.make_folder(artifact.parent)
    try:
        durable.rename(out, artifact)
    except OSError as error:
        published = read_manifest(artifact)
        if published is None:
            refuse_damaged(artifact)
            raise
        # On NFS the answer to a rename may be lost: the client asks again and is refused.
        if published.get("attempt") != manifest["attempt"]:
            _logger.info("%s is published already, by another attempt (%s)", artifact, error)
            if published.get("files") != manifest["files"]:
                _logger.warning("%s: this attempt's files differ from the published", artifact)
            durable.remove_folder(out)
            return False
    durable.fsync_folder(artifact.parent)
    durable.fsync_folder(out.parent)
    return True


def refuse_damaged(artifact: Path) -> None:
    """Raise UserError if something stands in an artifact's place and has no manifest."""
    # In this order: an artifact that is published, or moved away, between two looks is none of these.
    if artifact.exists() and read_manifest(artifact) is None and artifact.exists():
        raise UserError(
            f"has no {_MANIFEST} that opens, and the store never leaves one so",
            file=artifact,
            fix="clpd store verify sets it aside, for you to look at, and the job runs again",
        )


def verify(artifact: Path) -> list[str]:
    """What is wrong with an artifact, compared with its manifest: [] if nothing is."""
    manifest = read_manifest(artifact)
    if manifest is None:
        return [f"{_MANIFEST}: missing, or does not open"]
    expected = manifest.get("files")
    if not isinstance(expected, dict):
        return [f"{_MANIFEST}: lists no files"]
    found = set(_names(artifact))
    problems = [f"{name}: missing" for name in sorted(expected.keys() - found)]
    problems += [f"{name}: not in the manifest" for name in sorted(found - expected.keys())]
    for name in sorted(expected.keys() & found):
        try:
            fingerprint = _fingerprint(artifact / name, sync=False)
        except OSError as error:
            problems.append(f"{name}: {error.strerror}")
            continue
        if fingerprint != expected[name]:
            problems.append(f"{name}: changed since it was published")
    return problems


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name != _MANIFEST and not path.is_dir():
            yield name


def _fingerprint(path: Path, *, sync: bool) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        size = file.tell()
        if sync:
            durable.before("fsync", path)
            os.fsync(file.fileno())
    return {"sha256": digest.hexdigest(), "bytes": size}


_BLOCK = 1 << 22


def copy_files(
    artifact: Path, manifest: Mapping[str, Any], names: Mapping[str, Path], copied: Callable[[int], None]
) -> None:
    """Copy files of an artifact, and compare what was read with the manifest.

    Args:
        names: {name in the manifest: where the copy goes}; its folder is made.
        copied: given the bytes of each block that was copied.

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
                copied(len(block))
        if digest.hexdigest() != manifest["files"][name]["sha256"]:
            raise damaged(artifact, f"{name}: changed since it was published")


def damaged(artifact: Path, problem: str) -> UserError:
    """What to say of an artifact that is not what was published."""
    return UserError(
        f"is damaged: {problem}",
        file=artifact,
        fix="clpd store verify sets aside what is damaged, and the next run makes it again",
    )
