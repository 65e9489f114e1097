"""When all will be done, if units of work start in order as soon as a slot and what they wait for allow it."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter


@dataclass(frozen=True)
class Unit:
    """Attributes:
    seconds: that are left of it.
    needs: names of units that come before it.
    """

    seconds: float
    needs: frozenset[Hashable] = frozenset()


def makespan(units: Mapping[Hashable, Unit], slots: int) -> float | None:
    """Seconds until the last of the units ends, `slots` at a time, those named first being begun first;
    None where they wait for each other in a circle.

    Units that run now need nothing and stand first.
    """
    sorter: TopologicalSorter[Hashable] = TopologicalSorter({name: unit.needs for name, unit in units.items()})
    try:
        sorter.prepare()
    except CycleError:
        return None
    rank = {name: i for i, name in enumerate(units)}
    ready: list[tuple[int, Hashable]] = []
    under_way: list[tuple[float, int, Hashable]] = []
    now = 0.0
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, (rank[name], name))
        while ready and len(under_way) < slots:
            place, name = heapq.heappop(ready)
            heapq.heappush(under_way, (now + units[name].seconds, place, name))
        now, _, name = heapq.heappop(under_way)
        sorter.done(name)
    return now
