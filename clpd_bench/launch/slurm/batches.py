"""Few Slurm jobs out of many: what one task works through, what each batch waits for, how many may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from clpd_bench.errors import UserError
from clpd_bench.launch.slurm.site import Site
from clpd_bench.plan.plan import Plan


@dataclass(frozen=True)
class Batch:
    """Keys that one Slurm task works through, in this order.

    Attributes:
        after: numbers of the batches that it waits for, in the list that it stands in.
        outside: keys that others are at, for which it waits, too.
        seconds: estimated; None where nothing like it has run.
    """

    keys: tuple[str, ...]
    profile: str
    after: frozenset[int]
    outside: frozenset[str]
    seconds: float | None


@dataclass
class _Unit:
    """Jobs that stay together: one, or a model with the evaluations that alone need it."""

    keys: list[str]
    profile: str
    needs: set[str] = field(default_factory=set)
    depth: int = 0


def batches(
    plan: Plan,
    todo: set[str],
    alive: set[str],
    profile: Callable[[str], str],
    seconds: Callable[[str], float | None],
    full: Callable[[str], float],
    unknown: int = 1,
) -> list[Batch]:
    """Batches of the plan's jobs that are to do, those that others wait for first.

    Units of one profile that wait for the same batches are put together, in the plan's order, until a batch
    is full.

    Args:
        todo: keys to run.
        alive: keys that others are at, or have been until now: their jobs are waited for.
        profile: of a key.
        seconds: estimated, of a key.
        full: the seconds that fill a batch of a profile.
        unknown: how many units without an estimate fill one.
    """
    units = _units(plan, todo, profile)
    of = {key: unit for unit in units for key in unit.keys}
    for unit in units:  # in the plan's order, so parents come first
        unit.needs = {parent for key in unit.keys for parent in plan.jobs[key].parents.values()} - set(unit.keys)
        unit.depth = max((of[key].depth + 1 for key in unit.needs & todo), default=0)
    out: list[Batch] = []
    batch_of: dict[str, int] = {}
    for depth in range(max((unit.depth for unit in units), default=-1) + 1):
        groups: dict[tuple[str, frozenset[int], frozenset[str]], list[_Unit]] = {}
        for unit in (unit for unit in units if unit.depth == depth):
            after = frozenset(batch_of[key] for key in unit.needs & todo)
            groups.setdefault((unit.profile, after, frozenset((unit.needs | set(unit.keys)) & alive)), []).append(unit)
        for (name, after, outside), members in groups.items():
            for together, total in _packed(members, seconds, full(name), unknown):
                keys = tuple(key for unit in together for key in unit.keys)
                batch_of |= dict.fromkeys(keys, len(out))
                out.append(Batch(keys, name, after, outside, total))
    return out


def _units(plan: Plan, todo: set[str], profile: Callable[[str], str]) -> list[_Unit]:
    children: dict[str, list[str]] = {}
    for job in plan.jobs.values():
        for parent in job.parents.values():
            children.setdefault(parent, []).append(job.key)
    units: dict[str, _Unit] = {}
    out = []
    for key in (key for key in plan.jobs if key in todo):
        job, name = plan.jobs[key], profile(key)
        with_model = units.get(job.parents["model"]) if job.kind == "evaluation" else None
        alone = with_model and all(plan.jobs[child].kind == "evaluation" for child in children[job.parents["model"]])
        if with_model and alone and with_model.profile == name:
            with_model.keys.append(key)
            continue
        unit = _Unit([key], name)
        if job.kind == "model":
            units[key] = unit
        out.append(unit)
    return out


def _packed(
    units: Iterable[_Unit], seconds: Callable[[str], float | None], full: float, unknown: int
) -> Iterable[tuple[list[_Unit], float | None]]:
    """Units in batches, each with its estimated seconds."""
    together: list[_Unit] = []
    filled, total = 0.0, 0.0
    for unit in units:
        known = [seconds(key) for key in unit.keys]
        cost = None if None in known else sum(value or 0.0 for value in known)
        share = full / unknown if cost is None else cost
        if together and filled + share > full * (1 + 1e-9):
            yield together, total if math.isfinite(total) else None
            together, filled, total = [], 0.0, 0.0
        together.append(unit)
        filled += share
        total += math.inf if cost is None else cost
    if together:
        yield together, total if math.isfinite(total) else None


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
