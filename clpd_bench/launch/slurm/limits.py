"""How many Slurm jobs there may be, and batches made to fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clpd_bench.errors import UserError
from clpd_bench.launch.slurm.batches import Batch
from clpd_bench.launch.slurm.site import Site

FILLED = 0.9
"""Of a profile's time, at most, for what is estimated to be in a batch."""

SUBMISSIONS = 100
"""Arrays are kept apart for what they wait for up to this number: each takes a quarter of a second."""


@dataclass(frozen=True)
class Limits:
    """Attributes:
    array: tasks that one array may have (Slurm's MaxArraySize).
    submit: jobs that this user may have at a time, None where nothing says so.
    said_by: what says so.
    queued: jobs that the user has now.
    """

    array: int
    submit: int | None
    said_by: str
    queued: int

    @property
    def room(self) -> int | None:
        """Jobs that may be added now."""
        return None if self.submit is None else max(0, self.submit - self.queued)


def fitted(site: Site, limits: Limits, make: Callable[[Callable[[str], float], int], list[Batch]]) -> list[Batch]:
    """Batches as small as `batch_minutes` wants them, or larger ones where Slurm takes fewer.

    Args:
        make: batches, from the seconds that fill one (by profile) and the number of units without an
            estimate that do.

    Raises:
        UserError: even batches that fill their time are too many.
    """
    factor = 1
    while True:
        made = make(lambda name, f=factor: _full(site, name, f), factor)  # type: ignore[misc]
        if limits.room is None or len(made) <= limits.room:
            return made
        full = all(_full(site, name, factor) >= _most(site, name) for name in {batch.profile for batch in made})
        # What nothing is known of may be put together at will: jobs whose time is up go on in the next run.
        unknown = any(batch.seconds is None for batch in made)
        if full and (not unknown or factor >= sum(len(batch.keys) for batch in made)):
            break
        factor *= 2
    raise UserError(
        f"{len(made)} Slurm jobs are needed, each filled up to its profile's time, and there is room for "
        f"{limits.room}: {limits.submit} may be there at a time ({limits.said_by}), and {limits.queued} are",
        fix="Wait until jobs have ended, or raise time of the profiles, so that more goes into one job, or launch a "
        "part first (--set 'seeds=[0, 1]')",
    )


def _most(site: Site, name: str) -> float:
    return site.profiles[name].time * 60 * FILLED


def _full(site: Site, name: str, factor: int) -> float:
    return min(site.batch_minutes * 60 * factor, _most(site, name))


def arrays(made: list[Batch], most: int) -> list[list[int]]:
    """Numbers of the batches that are submitted in one go, those that others wait for first: of one profile,
    waiting for the same, and no more than one array may hold.

    Where that makes too many submissions, an array waits for all that one of its batches waits for, as the
    evaluations of many students do that have another profile than these.
    """
    groups = _grouped(made, {number: number for number in range(len(made))})
    if len(groups) > SUBMISSIONS:
        groups = _grouped(made, {})
    return [group[i : i + most] for group in groups for i in range(0, len(group), most)]


def _grouped(made: list[Batch], waits_for: dict[int, int]) -> list[list[int]]:
    """Args:
    waits_for: what a batch stands for where others wait for it; by default the group that it is in.
    """
    groups: dict[tuple[str, frozenset[int], frozenset[str]], list[int]] = {}
    names: dict[tuple[str, frozenset[int], frozenset[str]], int] = {}
    stands_for = dict(waits_for)
    for number, batch in enumerate(made):
        group = (batch.profile, frozenset(stands_for[other] for other in batch.after), batch.outside)
        groups.setdefault(group, []).append(number)
        stands_for.setdefault(number, names.setdefault(group, len(names)))
    return list(groups.values())
