"""Whether what is to be written has room. Quotas are not seen: how they are asked differs by cluster."""

from __future__ import annotations

import os

from clpd_bench.launch.footprint import Footprint
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.launch.slurm.preflight.paths import existing
from clpd_bench.store import Store

NEARLY = 0.8
"""Of what is free: above it estimates and neighbours may fill the rest."""
_FREE = "Free some (clpd store size, clpd store gc FILE), or give a store with more: --store, or CLPD_STORE"


def check_disk(needed: Footprint, store: Store) -> list[Finding]:
    free = os.statvfs(existing(store.root.absolute()))
    found = _compare("GB", ",.1f", needed.bytes / 1e9, free.f_bavail * free.f_frsize / 1e9, store)
    if free.f_files:  # 0 where files are not counted
        found += _compare("files", ",.0f", needed.files, free.f_favail, store)
    if needed.unknown:
        first, more = needed.unknown[0], len(needed.unknown) - 1
        what = (
            f"how much {first}{f' and {more} more' if more else ''} will write is not known, the corpora being unmade"
        )
        found.append(Finding("warning", what, "Make them first: clpd plan FILE --corpus"))
    return found


def _compare(unit: str, form: str, needed: float, free: float, store: Store) -> list[Finding]:
    if needed <= NEARLY * free:
        return []
    what = f"about {needed:{form}} {unit} are to be written to {store.root}, and {free:{form}} are free"
    return [Finding("fatal" if needed > free else "warning", what, _FREE)]
