"""Findings for people."""

from __future__ import annotations

from rich.console import Console

from clpd_bench.launch.slurm.preflight.finding import Finding


def print_findings(findings: list[Finding], console: Console) -> None:
    """Each with its fix; `ready` where nothing is in the way."""
    for finding in findings:
        style = "red" if finding.level == "fatal" else "yellow"
        console.print(f"{finding.level}: {finding.what}.", style=style, markup=False, highlight=False)
        console.print(f"  {finding.fix}.", markup=False, highlight=False)
    if not any(finding.level == "fatal" for finding in findings):
        warnings = len(findings)
        console.print(f"ready{f', with {warnings} warning' + 's' * (warnings > 1) if warnings else ''}")
