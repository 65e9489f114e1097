"""Whether the GPUs of the profiles hold what jobs need at their peak."""

from __future__ import annotations

from collections.abc import Callable

from clpd_bench.errors import UserError
from clpd_bench.launch.costs.fits import too_large
from clpd_bench.launch.costs.jobs import job_costs
from clpd_bench.launch.costs.sources import Sources
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.launch.slurm.site import Site
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def check_gpu_memory(
    plan: Plan, site: Site, profile: Callable[[str], str], todo: set[str], store: Store
) -> list[Finding]:
    """Of profiles that say what their GPUs have (`gpu_memory`)."""
    if not any(one.gpu_memory for one in site.profiles.values()):
        return []
    sources = Sources(plan, store)
    try:
        refused = too_large(sources, site, profile, job_costs(sources), todo)
    except UserError as error:
        return [Finding("fatal", error.message, error.fix or "Correct it, then launch again")]
    return [Finding("fatal", one.told, one.fix) for one in refused]
