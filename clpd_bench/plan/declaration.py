"""The declaration: what will be compared with what, as it stood before the numbers were seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clpd_bench.plan.plan import Evaluated, Job
from clpd_bench.plan.question import items_source, questions
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.arms import identity
from clpd_bench.settings.factorial import compared_arms
from clpd_bench.settings.fingerprint import fingerprint


def declaration(ablation: Ablation, cells: list[Evaluated], jobs: Mapping[str, Job]) -> dict[str, Any]:
    """What the file's `analysis:` says, and which evaluations it is about, each with its part of the question.

    Plain JSON; the store registers it when it is first run. A setting of the analysis that has its default is
    left out (correction and alpha, which were there from the first, are not), so that a new one leaves
    declarations as they are.
    """
    analysis = ablation.analysis
    compared = compared_arms(ablation)
    asked = questions(jobs)
    return {
        **fingerprint(analysis),
        "correction": analysis.correction,
        "alpha": analysis.alpha,
        "arms": {name: _arm(ablation, name) for name in compared},
        "seeds": list(ablation.seeds),
        "evaluations": {
            key: {**asked(cell.model)._asdict(), "items_source": items_source(jobs, key)}
            for cell in cells
            if cell.name in compared
            for key in cell.evaluations.values()
        },
    }


def _arm(ablation: Ablation, name: str) -> dict[str, Any]:
    """Without a `tuned` of which there is none, so that files without tuning declare nothing of it."""
    tuned = ablation.arms[name].tuned
    return {**identity(ablation, name), **({"tuned": tuned} if tuned else {})}
