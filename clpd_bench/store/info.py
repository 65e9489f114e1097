"""What there is to know about an attempt, from outside."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from clpd_bench.store import ledger
from clpd_bench.store.owner import Owner


@dataclasses.dataclass(frozen=True)
class AttemptInfo:
    """Attributes:
    ending: how it ended; None while it runs, and where it failed or was killed.
    failure: the failure record, or what a full disk left of one; None where nothing was left.
    """

    number: int
    folder: Path
    owner: Owner | None
    progress: dict[str, Any]
    ending: ledger.Ending | None
    failure: dict[str, Any] | None
    log: Path

    @classmethod
    def of(cls, entry: ledger.Entry) -> AttemptInfo:
        return cls(
            number=entry.number,
            folder=entry.folder,
            owner=entry.owner,
            progress=entry.heartbeat.get("progress", {}),
            ending=entry.ending,
            failure=entry.failure or entry.loss,
            log=entry.folder / ledger.LOG,
        )
