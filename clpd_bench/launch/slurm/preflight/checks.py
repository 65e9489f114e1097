"""All checks, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from clpd_bench.errors import UserError
from clpd_bench.launch.footprint import footprint
from clpd_bench.launch.slurm.cluster import Cluster, ask_cluster
from clpd_bench.launch.slurm.preflight.accounts import check_accounts
from clpd_bench.launch.slurm.preflight.disk import check_disk
from clpd_bench.launch.slurm.preflight.environment import check_environment
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.launch.slurm.preflight.gpu_memory import check_gpu_memory
from clpd_bench.launch.slurm.preflight.inputs import check_inputs, check_weights_everywhere
from clpd_bench.launch.slurm.preflight.paths import check_paths
from clpd_bench.launch.slurm.preflight.profiles import at_once, check_profile
from clpd_bench.launch.slurm.preflight.seeds import check_seeds
from clpd_bench.launch.slurm.site import Site
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def preflight(
    site: Site,
    profile: Callable[[str], str],
    plan: Plan,
    todo: set[str],
    store: Store,
    ask: Callable[[], Cluster] = ask_cluster,
    environ: Mapping[str, str] = os.environ,
) -> list[Finding]:
    """Fatal ones first. One alone where Slurm does not answer: the rest would be of no use.

    Args:
        profile: of a key.
        todo: keys to run.
    """
    try:
        cluster = ask()
    except UserError as error:
        return [Finding("fatal", error.message, error.fix or "Try again once Slurm answers")]
    in_use = {name: site.profiles[name] for name in dict.fromkeys(profile(key) for key in plan.jobs if key in todo)}
    of_models = {profile(key) for key in todo if plan.jobs[key].kind == "model"}
    side_by_side = sum(at_once(in_use[name], cluster) for name in of_models)
    found = [finding for name, one in in_use.items() for finding in check_profile(name, one, cluster)]
    found += check_accounts(in_use, cluster)
    found += check_environment(environ)
    found += check_paths(store.root, site.shared)
    found += check_inputs(plan, todo)
    found += check_weights_everywhere(plan, todo, site.shared)
    found += check_gpu_memory(plan, site, profile, todo, store)
    found += check_disk(footprint(plan, todo, store, side_by_side), store)
    found += check_seeds(plan)
    return sorted(found, key=lambda finding: finding.level != "fatal")
