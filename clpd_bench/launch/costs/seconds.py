"""How long jobs take on a site's profiles: as finished ones did, or by their FLOPs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

from clpd_bench.launch.estimates import Estimates, measured
from clpd_bench.launch.slurm import records
from clpd_bench.launch.slurm.site import Site
from clpd_bench.plan.cost.job import JobCost
from clpd_bench.plan.cost.whole import Seconds
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def seconds_of_jobs(
    plan: Plan, site: Site, profile: Callable[[str], str], costs: Mapping[str, JobCost], store: Store
) -> dict[str, Seconds]:
    """By key, where something tells.

    Args:
        profile: the name of the profile of a key.
    """
    took = measured(plan, store)
    ran_on = _profiles_of_launches(store)
    out: dict[str, Seconds] = {}
    for name, one in site.profiles.items():
        there = {key: seconds for key, seconds in took.items() if ran_on.get(key) == name}
        alike = Estimates(plan, there)

        def reckoned(key: str, speed: Callable[[str], float | None] = one.flops_a_second) -> float | None:
            cost = costs[key]
            rate = speed(cost.precision)
            return None if cost.total is None or rate is None else cost.total / rate

        correction = _corrections(plan, there, reckoned)
        for key in (key for key in plan.jobs if profile(key) == name):
            raw, known = reckoned(key), alike.seconds(key)
            kind = plan.jobs[key].kind
            if key in took:
                out[key] = Seconds(took[key], "done")
            elif not costs[key].unknown and not costs[key].flops:
                out[key] = Seconds(known or 0.0, "arithmetic")
            elif known is not None:
                out[key] = Seconds(known, "alike")
            elif raw is not None:
                by = correction.get(kind)
                out[key] = Seconds(raw, "arithmetic") if by is None else Seconds(raw * by, "corrected")
    return out


def _corrections(plan: Plan, took: Mapping[str, float], reckoned: Callable[[str], float | None]) -> dict[str, float]:
    """By kind, the median of measured by reckoned seconds."""
    ratios: dict[str, list[float]] = {}
    for key, seconds in took.items():
        expected = reckoned(key)
        if expected:
            ratios.setdefault(plan.jobs[key].kind, []).append(seconds / expected)
    return {kind: statistics.median(found) for kind, found in ratios.items()}


def _profiles_of_launches(store: Store) -> dict[str, str]:
    """The profile that a key was last submitted with."""
    out: dict[str, str] = {}
    for launch in records.launches(store.root):
        for array in records.arrays(records.folder(store.root, launch.id)):
            for key in (key for batch in array.batches for key in batch):
                out.setdefault(key, array.profile)
    return out
