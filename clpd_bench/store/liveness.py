"""Whether the owner of an attempt is dead, and taking turns by the same protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clpd_bench.store import ledger
from clpd_bench.store.attempts import Attempt
from clpd_bench.store.ledger import Entry
from clpd_bench.store.owner import Owner


class Watch:
    """An observer of other people's attempts, who remembers when it saw which heartbeat first."""

    def __init__(self, dead_after: float, lives: Callable[[Owner], bool | None]) -> None:
        self._dead_after = dead_after
        self._lives = lives
        self._seen: dict[tuple[str, str | None], tuple[object, float]] = {}

    def finds_dead(self, attempt: Entry) -> bool:
        """Whether the owner of this attempt is known to be dead by now.

        What the owner wrote is to be read (again) after this call: before it, more may have come.
        """
        owner = attempt.owner
        if owner is not None:
            runs = owner.runs_here()
            if runs is not None:
                return not runs
            # A scheduler's job may live on without this process: that it lives excuses no heart that stands still.
            if self._lives(owner) is False:
                return True
        return self._heart_stands_still(attempt, owner.token if owner else None)

    def _heart_stands_still(self, attempt: Entry, token: str | None) -> bool:
        # The observer's own clock times the observer's own looks: wall clocks of two hosts differ
        # by minutes. It counts from the end of the first look to the start of this one, since a
        # file server may hold up either.
        started = time.monotonic()
        beat = attempt.heartbeat.get("beat")
        who = (str(attempt.folder), token)
        last_beat, since = self._seen.get(who, (None, None))
        if since is None or beat != last_beat:
            self._seen[who] = (beat, time.monotonic())
            return False
        return started - since >= self._dead_after


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
