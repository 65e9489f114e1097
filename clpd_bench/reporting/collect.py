"""From the store to one table: the plan's cells joined with the items of their evaluations."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.analysis.metrics import Series
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Evaluated, Plan
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.analysis import Primary
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


def declared(ablation: Ablation, series: Sequence[Series] = ()) -> Declaration:
    """What the file declares, the primary metric by the name that it has among `series`.

    Raises:
        UserError: see `primary_name`.
    """
    a = ablation.analysis
    return Declaration(
        a.baseline,
        a.family,
        a.correction,
        a.alpha,
        a.primary.benchmark,
        primary_name(a.primary, series),
        a.margin,
        "new items" if a.generalise_to == "new_items" else "these items",
    )


def primary_name(primary: Primary, series: Sequence[Series]) -> str:
    """The display name of the primary metric; where it has no outcomes, as the file has it.

    Raises:
        UserError: it has several filters, and the file names none.
    """
    mine = [one for one in series if (one.benchmark, one.metric) == (primary.benchmark, primary.metric)]
    if primary.filter is None and len(mine) > 1:
        raise UserError(
            f"{primary.benchmark} has {primary.metric} under several filters, and the primary result is one of them",
            key="analysis.primary",
            allowed=[one.filter for one in mine],
            fix="Name one of them under analysis.primary.filter",
        )
    return next((one.name for one in mine if primary.filter in (None, one.filter)), primary.title)


def factorial(ablation: Ablation) -> Factorial | None:
    """The arms that make up the 2 x 2 of order and teachers and differ in nothing else, if all are there."""
    arms = factorial_arms(ablation)
    return None if arms is None else Factorial(*arms)
