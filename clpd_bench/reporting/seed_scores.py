"""The primary metric's mean over items of each finished cell, read without pandas."""

from __future__ import annotations

import math

import pyarrow.parquet as pq

from clpd_bench.plan.plan import Plan
from clpd_bench.settings.analysis import Primary
from clpd_bench.store import Store


def primary_means(plan: Plan, store: Store, primary: Primary) -> dict[tuple[str, int], float]:
    """{(arm, seed): mean} of the cells that have finished, in the metric's own unit.

    Without those whose mean is not finite, and of none where several filters make several metrics of one.
    """
    out: dict[tuple[str, int], float] = {}
    for cell in plan.cells:
        key = cell.evaluations.get(primary.benchmark)
        if key is None or not store.is_done(key):
            continue
        table = pq.read_table(
            store.artifact(key) / "items.parquet",
            columns=["score", "filter"],
            filters=[("metric", "=", primary.metric)],
        )
        if len(set(table["filter"].to_pylist())) > 1:
            return {}
        scores = table["score"].to_pylist()
        if scores and all(math.isfinite(score) for score in scores):
            out[cell.name, cell.seed] = math.fsum(scores) / len(scores)
    return out
