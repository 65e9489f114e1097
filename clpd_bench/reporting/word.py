"""What a report leaves behind in the store: word of what it has shown."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from clpd_bench.plan.plan import Evaluated
from clpd_bench.store import Store

UNRECORDED = (
    "The store cannot be written, so this report has left no word in it: seeds added from now on would not be known "
    "to have been added after a look."
)


def leave_word(cells: Iterable[Evaluated], store: Store) -> bool:
    """Record that these cells' outcomes are shown, those that are done; whether that could be written."""
    shown = {key: cell.model for cell in cells for key in cell.evaluations.values() if store.is_done(key)}
    try:
        store.record_report(shown)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return False
    return True
