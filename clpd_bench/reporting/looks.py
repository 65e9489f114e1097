"""The looks that a store remembers, and when they had shown all arms of a comparison."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clpd_bench.reporting.shown import Shown
from clpd_bench.store import Record, Store


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
