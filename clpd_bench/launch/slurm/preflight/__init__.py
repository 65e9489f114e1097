"""Before anything is submitted: what would fail, pend for ever, or tell nothing, with its fix."""

from clpd_bench.launch.slurm.preflight.checks import preflight
from clpd_bench.launch.slurm.preflight.finding import Finding

__all__ = ["Finding", "preflight"]
