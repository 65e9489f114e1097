"""The declaration: what will be compared with what, as it stood before the numbers were seen."""

from __future__ import annotations

from typing import Any

from clpd_bench.plan.keys import fingerprint
from clpd_bench.plan.plan import Evaluated
from clpd_bench.settings.ablation import Ablation


def declaration(ablation: Ablation, cells: list[Evaluated]) -> dict[str, Any]:
    """Baseline, family, correction, alpha and primary result, and which evaluations they are about.

    Plain JSON; the store keeps it under its hash with the time when it was first run.
    """
    analysis = ablation.analysis
    compared = {analysis.baseline, *analysis.family}
    return {
        **fingerprint(analysis),
        "correction": analysis.correction,
        "alpha": analysis.alpha,
        "arms": {name: fingerprint(arm) for name, arm in ablation.arms.items() if name in compared},
        "seeds": list(ablation.seeds),
        "evaluations": sorted(key for cell in cells if cell.name in compared for key in cell.evaluations.values()),
    }
