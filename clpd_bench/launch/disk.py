"""A full disk: how it shows in errors, and what is said of it."""

from __future__ import annotations

import errno
from pathlib import Path

from clpd_bench.errors import UserError

# Libraries that write from Rust or C++ (safetensors, pyarrow) pass the system's words on, not its number.
WORDS = ("No space left on device", "Disk quota exceeded")
_NUMBERS = {errno.ENOSPC, errno.EDQUOT}


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that nothing more can be written."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if (isinstance(cause, OSError) and cause.errno in _NUMBERS) or any(word in str(cause) for word in WORDS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def full_disk(store: Path) -> UserError:
    """What a worker ends with."""
    return UserError(
        "the disk is full, or the quota on it: nothing that was done is lost",
        file=store,
        fix=f"Free some space (clpd store size --store {store} says what takes it, clpd store gc FILE what can go), "
        "then run again: what was under way goes on from its checkpoints",
    )
