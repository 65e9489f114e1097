"""Outcomes as a look records them: of which question each is a part, under which setting and seed, on which items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.plan.plan import Evaluated, Job
from clpd_bench.plan.question import questions
from clpd_bench.store import Store


class Shown(NamedTuple):
    """An evaluation that is done.

    Attributes:
        evaluation: its key.
        arm, setting: see `Question`; None where another version of the code planned it, whose settings cannot be
            read: it is then known by its key alone.
        items: the ids of those that it has an outcome on.
    """

    evaluation: str
    arm: str | None
    setting: str | None
    seed: int
    items: frozenset[str]


def shown(cells: Iterable[Evaluated], jobs: Mapping[str, Job], store: Store) -> dict[str, Shown]:
    """{key: of these cells' evaluations that are done}; without those whose items cannot be read, or shown.

    Args:
        jobs: of the cells' plan; empty where it cannot be read.
    """
    asked = questions(jobs)
    found: dict[str, Shown] = {}
    equal: dict[frozenset[str], frozenset[str]] = {}
    for cell in cells:
        arm, setting = asked(cell.model) if jobs else (None, None)
        for key in cell.evaluations.values():
            if key in found or not store.is_done(key):
                continue
            ids = _items(store.artifact(key) / "items.parquet")
            if ids:
                found[key] = Shown(key, arm, setting, cell.seed, equal.setdefault(ids, ids))
    return found


def _items(file: Path) -> frozenset[str]:
    try:
        with pq.ParquetFile(file) as opened:  # `pq.read_table` would import pandas
            return frozenset(opened.read(columns=["item"])["item"].unique().to_pylist())
    except (OSError, pa.ArrowInvalid):
        return frozenset()
