"""From the store to one table: the plan's cells joined with the items of their evaluations."""

from __future__ import annotations

import pandas as pd

from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.plan.plan import Evaluated, Plan
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.factorial import factorial_arms
from clpd_bench.store import Store


def collect_items(plan: Plan, store: Store) -> tuple[pd.DataFrame, list[str]]:
    """All published outcomes, and a sentence for each evaluation that is not there.

    The frame has ITEM_COLUMNS and `output`, the text that a model generated.
    """
    frames, missing = [], []
    labelled = [("arm", e) for e in plan.cells] + [("reference", e) for e in plan.references]
    for kind, evaluated in labelled:
        for benchmark, key in evaluated.evaluations.items():
            if not store.is_done(key):
                missing.append(f"{_title(evaluated)} on {benchmark}: {store.state(key)}.")
                continue
            frame = pd.read_parquet(store.artifact(key) / "items.parquet")
            frames.append(frame.assign(kind=kind, arm=evaluated.name, seed=evaluated.seed, benchmark=benchmark))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(), missing


def _title(evaluated: Evaluated) -> str:
    return evaluated.name if evaluated.seed < 0 else f"{evaluated.name} at seed {evaluated.seed}"


def declared(ablation: Ablation) -> Declaration:
    a = ablation.analysis
    return Declaration(
        a.baseline,
        a.family,
        a.correction,
        a.alpha,
        a.primary.benchmark,
        a.primary.metric,
        a.margin,
        "new items" if a.generalise_to == "new_items" else "these items",
    )


def factorial(ablation: Ablation) -> Factorial | None:
    """The arms that make up the 2 x 2 of order and teachers and differ in nothing else, if all are there."""
    arms = factorial_arms(ablation)
    return None if arms is None else Factorial(*arms)
