"""All checks before a launch, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from clpd_bench.analysis.power import too_few_seeds
from clpd_bench.costs.fits import too_large
from clpd_bench.costs.footprint import footprint
from clpd_bench.costs.inputs import Sources
from clpd_bench.costs.jobs import job_costs
from clpd_bench.costs.machines import Machines
from clpd_bench.errors import UserError
from clpd_bench.launch.slurm.cluster import Cluster, ask_cluster
from clpd_bench.launch.slurm.preflight.accounts import check_accounts
from clpd_bench.launch.slurm.preflight.files import check_disk, check_inputs, check_paths, check_weights_everywhere
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.launch.slurm.preflight.profiles import at_once, check_profile
from clpd_bench.launch.slurm.site import Site
from clpd_bench.launch.slurm.submit import machines
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def check_environment(environ: Mapping[str, str]) -> list[Finding]:
    """For sbatch they stand above what a job script says."""
    names = sorted(name for name in environ if name.startswith("SBATCH_"))
    if not names:
        return []
    shown = ", ".join(f"{name}={environ[name]}" for name in names)
    return [Finding("warning", f"the environment overrides the site file: {shown}", f"unset {' '.join(names)}")]


def check_seeds(plan: Plan) -> list[Finding]:
    """Of each point's declaration; what is alike is said once."""
    points: dict[str, dict[str, Any]] = plan.declaration.get("points", {"": plan.declaration})
    alike = {(len(one["seeds"]), len(one["family"]), float(one["alpha"])) for one in points.values()}
    few = (too_few_seeds(*one) for one in sorted(alike))
    return [Finding("warning", one.what, one.fix) for one in few if one]


def check_gpu_memory(plan: Plan, on: Machines, todo: set[str], store: Store) -> list[Finding]:
    """Of profiles that say what their GPUs have (`gpu_memory`)."""
    if not any(one.memory for one in on.by_profile.values()):
        return []
    sources = Sources(plan, store)
    try:
        refused = too_large(sources, on, job_costs(sources), todo)
    except UserError as error:
        return [Finding("fatal", error.message, error.fix or "Correct it, then launch again")]
    return [Finding("fatal", one.why, one.fix) for one in refused]


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
    found += check_gpu_memory(plan, machines(site, plan, store), todo, store)
    found += check_disk(footprint(plan, todo, store, side_by_side), store)
    found += check_seeds(plan)
    return sorted(found, key=lambda finding: finding.level != "fatal")
