"""Looks: what was shown of which question, and when all arms of a comparison had been shown."""

from __future__ import annotations

import errno
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.plan.plan import Job, Plan, PlannedEvaluation
from clpd_bench.plan.questions import questions
from clpd_bench.store import Record, Store


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


def shown(cells: Iterable[PlannedEvaluation], jobs: Mapping[str, Job], store: Store) -> dict[str, Shown]:
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


UNRECORDED = (
    "The store cannot be written, so no word is left in it of what is shown here: what is declared from now on, seeds "
    "that are added too, would not be known to have been declared after a look."
)


def leave_word(outcomes: Mapping[str, Shown], store: Store) -> bool:
    """Register a look at these outcomes, if there are any; whether that could be written."""
    if not outcomes:
        return True
    names: dict[frozenset[str], str] = {}
    content = {}
    try:
        for key, one in outcomes.items():
            if one.items not in names:
                names[one.items] = store.keep_items(one.items)
            content[key] = {"arm": one.arm, "setting": one.setting, "seed": one.seed, "items": names[one.items]}
        store.look(content)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return False
    return True


def cells_of(job: Job, plan: Plan) -> list[PlannedEvaluation]:
    """The cells whose outcomes somebody finds who is told where a job's files lie: those of a student, or, of an
    evaluation, its cell with that evaluation alone."""
    return [
        replace(cell, evaluations={name: key for name, key in cell.evaluations.items() if job.key in (cell.model, key)})
        for cell in plan.cells
        if job.key in (cell.model, *cell.evaluations.values())
    ]


@dataclass(frozen=True)
class Look:
    """Attributes:
    number, time: of its record.
    shown: outcomes; of a comparison's history, those that are part of its question.
    """

    number: int
    time: str
    shown: tuple[Shown, ...]


def looks(records: Iterable[Record], store: Store) -> list[Look]:
    """Of these records the looks, in their order.

    Raises:
        UserError: the items that one has shown are lost.
    """
    items = functools.cache(store.items)
    return [
        Look(
            record.number,
            record.time,
            tuple(
                Shown(key, one["arm"], one["setting"], one["seed"], items(one["items"]))
                for key, one in record.content.items()
            ),
        )
        for record in records
        if record.kind == "look"
    ]


@dataclass(frozen=True)
class History:
    """What looks had shown of one comparison's question.

    Attributes:
        looks: those that showed any arm of it, on items of which one at least is an item of the comparison's.
        complete: the number of the one with which every arm had been shown, by it and those before it together; None
            where there is none.
    """

    looks: tuple[Look, ...]
    complete: int | None


def history(used: Sequence[Shown], every: Iterable[Look]) -> History:
    """Of the comparison that uses these outcomes. Of arms that follow one rule, and differ in a setting alone, as
    many settings of that rule have to have been shown as there are such arms."""
    mine = {one.evaluation: one for one in used}
    wanted: dict[str | None, set[str | None]] = {}
    items: dict[str | None, set[frozenset[str]]] = {}
    for one in used:
        wanted.setdefault(one.arm, set()).add(one.setting)
        items.setdefault(one.arm, set()).add(one.items)
    found: list[Look] = []
    seen: dict[str | None, set[str | None]] = {arm: set() for arm in wanted}
    complete = None
    for look in every:
        part = tuple(
            mine.get(one.evaluation, one)
            for one in look.shown
            if one.evaluation in mine or any(_share(one.items, its) for its in items.get(one.arm, ()))
        )
        if not part:
            continue
        found.append(Look(look.number, look.time, part))
        for one in part:
            seen[one.arm].add(one.setting)
        if complete is None and all(len(seen[arm]) >= len(settings) for arm, settings in wanted.items()):
            complete = look.number
    return History(tuple(found), complete)


@functools.lru_cache(maxsize=4096)
def _share(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether there is an item in both. Few sets are met very often."""
    return not one.isdisjoint(other)
