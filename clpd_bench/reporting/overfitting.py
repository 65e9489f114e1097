"""Students that validate worse at their end than at their start: warned of, and no divergence."""

from __future__ import annotations

import statistics
from collections.abc import Collection

from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.curves import training_record
from clpd_bench.store import Store


def overfitting(plan: Plan, store: Store, diverged: Collection[tuple[str, int]]) -> list[str]:
    """A sentence for each arm with students whose validation loss is above the one before their first step: at the end
    of the run or, where a checkpoint was chosen, there.

    Args:
        diverged: (arm, seed) of students that did, of which more is said elsewhere.
    """
    looks: dict[str, list[tuple[float, float]]] = {}
    for cell in plan.cells:
        record = training_record(store, cell.model) if store.is_done(cell.model) else None
        if record and record.get("validation") and (cell.name, cell.seed) not in diverged:
            start, end = record["validation"][0], record.get("chosen") or record["validation"][-1]
            looks.setdefault(cell.name, []).append((start["response_loss"], end["response_loss"]))
    return [
        _sentence(arm, found, len(all_)) for arm, all_ in looks.items() if (found := [x for x in all_ if x[1] > x[0]])
    ]


def _sentence(arm: str, found: list[tuple[float, float]], of: int) -> str:
    start, end = (statistics.fmean(one) for one in zip(*found, strict=True))
    return (
        f"Overfitting: {arm}: {len(found)} of {of} students end with a validation loss above the start's: "
        f"{start:.3g} -> {end:.3g} nats a token (mean)."
    )
