"""Taking turns at something that one process at a time may do, by the protocol of claims."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clpd_bench.store import ledger
from clpd_bench.store.attempts import Attempt
from clpd_bench.store.liveness import Watch
from clpd_bench.store.owner import Owner

POLL_SECONDS = 0.2


@contextmanager
def turn(
    folder: Path, owner: Owner, watch: Watch, heartbeat_every: float, waiting: Callable[[Owner | None], None]
) -> Iterator[None]:
    """Waits until nobody alive is inside, and is the one inside.

    Args:
        folder: the entries of all turns so far.
        owner: this process.
        waiting: called once with each process that is waited for.
    """
    named: set[int] = set()
    while True:
        newest = next(iter(ledger.entries(folder)), None)
        if newest is None or newest.ending is not None or watch.finds_dead(newest):
            if entry := ledger.add_attempt(folder, newest, owner):
                break
            continue
        if newest.number not in named:
            named.add(newest.number)
            waiting(newest.owner)
        time.sleep(POLL_SECONDS)
    with Attempt(folder.name, entry, owner, folder / "none", heartbeat_every) as mine:
        try:
            yield
        finally:
            mine.release()
