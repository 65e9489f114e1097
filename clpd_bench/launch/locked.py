"""What a lock covers and what of it lies in the hub's cache, for people and machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from clpd_bench.launch.fetching import lacking
from clpd_bench.plan.needs import is_pinned, named, needs
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.revisions import short


@dataclass(frozen=True)
class Covered:
    """A model, data set or task.

    Attributes:
        revision: the commit; the branch or tag where it is not pinned; None of a task without data of the hub's.
        lacking: what is not in the cache, a sentence; None where it is there whole, or not pinned.
    """

    what: str
    id: str
    revision: str | None
    pinned: bool
    lacking: str | None

    @property
    def ready(self) -> bool:
        return self.pinned and self.lacking is None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "in_cache": self.ready}


def covered(plan: Plan) -> list[Covered]:
    """Of a plan with its lock; each repository once at a revision, by what of it is missing."""
    rows: dict[tuple[str, str, str | None], Covered] = {}
    for need in needs(plan):
        name, pinned = named(need), is_pinned(need)
        row = Covered(name.what, name.id, name.revision, pinned, lacking(need) if pinned else None)
        place = (name.what, name.id, name.revision)
        if place not in rows or rows[place].ready:
            rows[place] = row
    return list(rows.values())


def print_covered(rows: list[Covered], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "", "pinned to", "in the cache"):
        table.add_column(column, no_wrap=True)
    for row in rows:
        revision = short(row.revision) if row.revision else "its file alone"
        cached = "-" if not row.pinned or row.revision is None else "yes" if row.lacking is None else "no"
        table.add_row(row.what, row.id, revision if row.pinned else "nothing", cached)
    console.print(table)
    for row in rows:
        if row.lacking:
            console.print(f"missing: {row.lacking}", markup=False, highlight=False)
