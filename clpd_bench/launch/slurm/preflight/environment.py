"""Variables by which a shell overrides the site file, unseen."""

from __future__ import annotations

from collections.abc import Mapping

from clpd_bench.launch.slurm.preflight.finding import Finding


def check_environment(environ: Mapping[str, str]) -> list[Finding]:
    """For sbatch they stand above what a job script says."""
    names = sorted(name for name in environ if name.startswith("SBATCH_"))
    if not names:
        return []
    shown = ", ".join(f"{name}={environ[name]}" for name in names)
    return [Finding("warning", f"the environment overrides the site file: {shown}", f"unset {' '.join(names)}")]
