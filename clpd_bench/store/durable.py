"""Writing so that a kill or a power cut leaves the old state or the new one, never half."""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _go_on(operation: str, path: Path) -> None:
    """What happens before an operation outside of tests: nothing."""


# Called before every change to the disk. Tests put a SIGKILL or a refusal here.
before: Callable[[str, Path], None] = _go_on

_NO_DIRECTORY_FSYNC = {errno.EINVAL, errno.ENOTSUP}
_STALE_READS = 3


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each of them on the disk before the call returns."""
    if path.is_dir():
        return
    make_folder(path.parent)
    before("mkdir", path)
    path.mkdir(exist_ok=True)
    fsync_folder(path.parent)


def fsync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut, where the file system can do that."""
    before("fsync", path)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_FSYNC:
            raise
    finally:
        os.close(handle)


def rename(source: Path, target: Path) -> None:
    """Rename a folder; one that is there and not empty is never replaced.

    Raises:
        OSError: refused. On NFS the answer may be lost and the rename done all the same: look.
    """
    before("rename", target)
    source.rename(target)


def replace(source: Path, target: Path) -> None:
    """Give a file another's name and place.

    Raises:
        OSError: refused, or done and the answer lost, as for `rename`.
    """
    before("replace", target)
    source.replace(target)


def _replace(temporary: Path, path: Path) -> None:
    # Looked at first: nobody else knows this name, so where it is gone, it was we who moved it.
    content = temporary.read_bytes()
    try:
        replace(temporary, path)
    except OSError:
        if temporary.exists() or not path.exists() or path.read_bytes() != content:
            raise


def remove_folder(path: Path) -> None:
    """Remove a folder of one's own, as far as that goes: what is left of it does no harm."""
    before("remove", path)
    shutil.rmtree(path, ignore_errors=True)


def write_json(path: Path, data: Any) -> None:
    """Replace a file by `data`, durably.

    Raises:
        TypeError: `data` has a value that JSON doesn't know; nothing was written.
    """
    replace_json(path, data, durable=True)
    fsync_folder(path.parent)


def replace_json(path: Path, data: Any, *, durable: bool = False) -> None:
    """Replace a file by `data`: a reader sees the old content or the new one."""
    temporary = _write_beside(path, data, durable=durable)
    try:
        _replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json_once(path: Path, data: Any) -> None:
    """Write a file that keeps its first content for good: later writers leave it as it is."""
    temporary = _write_beside(path, data, durable=True)
    try:
        before("link", path)
        # Of many writers one makes the name, and the name never stands for half a file:
        # a rename would let the last one win, an exclusive open could be killed while writing.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
    fsync_folder(path.parent)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None if there is no such file or it holds no JSON object.

    Raises:
        OSError: the file is there and can't be read.
    """
    for remaining in reversed(range(_STALE_READS)):
        try:
            data = json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        except OSError as error:
            # NFS says so when the file was replaced under the reader's hands.
            if error.errno == errno.ESTALE and remaining:
                continue
            raise
        return data if isinstance(data, dict) else None
    raise AssertionError("unreachable")


def _write_beside(path: Path, data: Any, *, durable: bool) -> Path:
    text = json.dumps(data, indent=1, sort_keys=True) + "\n"
    # Not from tempfile: its mode 0600 would shut out the colleagues who share a store.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        before("write", temporary)
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                before("fsync", temporary)
                os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
