"""A report: everything that the store knows of an ablation, in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clpd_bench.analysis.compare import compare
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.collect import collect_items, declared, factorial
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.write import write_tables
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.model import Trained
from clpd_bench.store import Store


@dataclass(frozen=True)
class Report:
    files: list[Path]
    comparisons: pd.DataFrame
    missing: list[str]


def write_report(ablation: Ablation, plan: Plan, store: Store, out: Path) -> Report:
    """Tables, from the store alone.

    Raises:
        UserError: no arm has been evaluated yet, or outcomes cannot be compared.
    """
    items, missing = collect_items(plan, store)
    if not len(items) or not (items["kind"] == "arm").any():
        raise UserError("nothing has been evaluated yet", file=plan.file, fix=f"Run it first: clpd run {plan.file}")
    factors = factorial(ablation)
    comparisons = compare(items, declared(ablation), factors)
    context = ReportContext(
        title=plan.name,
        question=ablation.question,
        arms=list(ablation.arms),
        references=list(dict.fromkeys(reference.name for reference in plan.references)),
        declaration=declared(ablation),
        factorial=factors,
        missing=missing,
        notes=_conditions(ablation),
    )
    return Report(write_tables(items, comparisons, out, context=context), comparisons, missing)


def _conditions(ablation: Ablation) -> list[str]:
    """What the conclusions are conditional on, as far as it is shared by all seeds."""
    shared = []
    if isinstance(ablation.student.initial, Trained):
        shared.append(f"one pretrained student ({ablation.student.initial.model})")
    if ablation.teachers:
        shared.append(f"these teachers ({', '.join(ablation.teachers)}), each trained once")
    shared.append(f"this corpus ({ablation.student.corpus})")
    *most, last = shared
    listed = f"{', '.join(most)} and {last}" if most else last
    return [f"The seeds vary what a cell's own streams decide; all conclusions are conditional on {listed}."]
