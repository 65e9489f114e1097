"""The primary metric's mean over items of each finished cell, read without pandas."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.plan.plan import Plan
from clpd_bench.settings.analysis import Primary
from clpd_bench.store import Store


def primary_means(plan: Plan, store: Store, primary: Primary) -> dict[tuple[str, int], float]:
    """{(arm, seed): mean} of the cells that have finished, in the metric's own unit.

    Without those whose outcomes cannot be read or are not finite: the report has more to say about them.
    """
    out: dict[tuple[str, int], float] = {}
    for cell in plan.cells:
        key = cell.evaluations.get(primary.benchmark)
        if key is not None and store.is_done(key):
            mean = _mean(store.artifact(key) / "items.parquet", primary.metric)
            if math.isfinite(mean):
                out[cell.name, cell.seed] = mean
    return out


def _mean(file: Path, metric: str) -> float:
    """nan where there is none, or where several filters make several metrics of one."""
    try:
        table = pq.read_table(file, columns=["score", "filter"], filters=[("metric", "=", metric)])
    except (OSError, pa.ArrowInvalid):
        return math.nan
    scores = table["score"].to_numpy()
    return float(np.mean(scores)) if len(table["filter"].unique()) == 1 else math.nan
