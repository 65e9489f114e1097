"""The cost of a whole plan, and what it takes of a site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from clpd_bench.costs.cost import Disk, JobCost, OnProfile, PlanCost, Seconds, naive
from clpd_bench.costs.fits import too_large
from clpd_bench.costs.footprint import footprint
from clpd_bench.costs.hours import seconds_of_jobs
from clpd_bench.costs.inputs import Sources
from clpd_bench.costs.jobs import job_costs
from clpd_bench.costs.machines import Machine, Machines
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def plan_cost(plan: Plan, store: Store, machines: Machines | None) -> PlanCost:
    """Raises:
    UserError: see `job_costs`.
    """
    sources = Sources(plan, store)
    try:
        costs = job_costs(sources)
    except UserError as error:
        raise error.at(file=plan.file) from None
    done = frozenset(key for key in plan.jobs if store.is_done(key))
    todo = {*plan.jobs} - done
    disk = footprint(plan, todo, store)
    seconds: dict[str, Seconds] = {}
    on_profiles: dict[str, OnProfile] = {}
    refused = []
    if machines is not None:
        seconds = seconds_of_jobs(plan, machines, costs, store)
        for name, machine in machines.by_profile.items():
            if keys := [key for key in plan.jobs if key in todo and machines.profile(key) == name]:
                on_profiles[name] = _on_profile(keys, machine, costs, seconds)
        refused = too_large(sources, machines, costs, todo)
    return PlanCost(
        costs,
        done,
        Disk(disk.bytes, disk.files, disk.checkpoints, len(disk.unknown)),
        naive(plan, costs),
        seconds,
        on_profiles,
        tuple(refused),
    )


def _on_profile(
    keys: list[str], machine: Machine, costs: Mapping[str, JobCost], seconds: Mapping[str, Seconds]
) -> OnProfile:
    known = [seconds[key] for key in keys if key in seconds]
    peaks = [peak.bytes for key in keys if (peak := costs[key].peak) is not None]
    return OnProfile(
        len(keys),
        sum(found.value for found in known) * machine.gpus,
        dict(Counter(found.by for found in known)),
        len(keys) - len(known),
        max(peaks, default=0),
        machine.memory,
    )
