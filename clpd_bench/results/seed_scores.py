"""The primary metric's mean over items of each finished cell, read without pandas."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.analysis import Primary
from clpd_bench.store import Store


def primary_means(plan: Plan, store: Store, primary: Primary) -> dict[tuple[str, int], float]:
    """{(arm, seed): mean} of the cells that have finished, in the metric's own unit.

    Without those whose outcomes cannot be read or are not finite: the report has more to say about them.
    """
    out: dict[tuple[str, int], float] = {}
    for cell in plan.cells:
        key = cell.evaluations.get(primary.benchmark)
        if key is not None and store.is_done(key):
            mean = _mean(store.artifact(key) / "items.parquet", primary)
            if math.isfinite(mean):
                out[cell.name, cell.seed] = mean
    return out


def _mean(file: Path, primary: Primary) -> float:
    """nan where there is none, or where several filters make several metrics of one and none is named."""
    try:
        with pq.ParquetFile(file) as opened:  # `pq.read_table` would import pandas
            table = opened.read(columns=["metric", "filter", "score"]).combine_chunks()
    except (OSError, pa.ArrowInvalid):
        return math.nan
    if not len(table):
        return math.nan
    mine = _is(table["metric"], primary.metric)
    if primary.filter is not None:
        mine &= _is(table["filter"], primary.filter)
    filters = {name for name in table["filter"].unique().to_pylist() if (mine & _is(table["filter"], name)).any()}
    scores = np.from_dlpack(table["score"].chunk(0))[mine]
    return float(np.mean(scores)) if len(filters) == 1 else math.nan


def _is(column: pa.ChunkedArray, name: str) -> npt.NDArray[np.bool_]:
    """Where a column of text has this name, without pandas, which Arrow's own comparison would import."""
    encoded = column.chunk(0).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    return np.asarray(np.from_dlpack(encoded.indices) == (names.index(name) if name in names else -1))
