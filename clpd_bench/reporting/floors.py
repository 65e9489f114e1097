"""Floors as rows beside the models that no arm trained."""

from __future__ import annotations

import pandas as pd

from clpd_bench.analysis.items import FLOOR, REFERENCE
from clpd_bench.corpus.reader import read_split
from clpd_bench.evaluation.floors import floor_scores
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.metrics import BINARY
from clpd_bench.store import Store


def floor_items(items: pd.DataFrame, ablation: Ablation, plan: Plan, store: Store) -> pd.DataFrame:
    """Rows of each declared floor, on the items and under the filters that an evaluation of the benchmark has,
    of its metrics that are right or wrong.

    Raises:
        UserError: see `floor_scores`.
    """
    frames = [items.iloc[:0]]
    for name, benchmark in ablation.evaluation.benchmarks.items():
        mine = items[(items["benchmark"] == name) & items["metric"].isin(BINARY)]
        if benchmark.corpus is None or not benchmark.floor or not len(mine):
            continue
        corpus = store.artifact(plan.corpora[benchmark.corpus])
        train, test = read_split(corpus, "train"), read_split(corpus, "test")
        first = mine.iloc[0]
        of_one = mine[(mine["kind"] == first["kind"]) & (mine["arm"] == first["arm"]) & (mine["seed"] == first["seed"])]
        for floor in benchmark.floor:
            scores = floor_scores(floor, train, test)
            label = FLOOR + floor.replace("_", " ")
            rows = of_one.assign(
                kind=REFERENCE, arm=label, seed=-1, score=of_one["item"].map(scores), output=None, truncated=None
            )
            frames.append(rows)
    return pd.concat(frames, ignore_index=True)
