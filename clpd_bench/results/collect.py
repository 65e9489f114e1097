"""From the store to one table of outcomes, with floors beside references, and each run's mean over items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from scipy import stats

from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.analysis.series import FLOOR, REFERENCE, Series
from clpd_bench.corpus.reader import read_split
from clpd_bench.errors import UserError
from clpd_bench.evaluation.floors import floor_scores
from clpd_bench.plan.plan import Plan, PlannedEvaluation
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.analysis import Primary
from clpd_bench.settings.parts.metrics import BINARY
from clpd_bench.settings.rules.analysis import factorial_arms
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


def _title(evaluated: PlannedEvaluation) -> str:
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


SeedScores = dict[tuple[str, str], dict[int, float]]
"""{(kind, name): {seed: mean over items}}, seeds ascending."""


def rows_of(items: pd.DataFrame, series: Series) -> pd.DataFrame:
    """The items of one metric series."""
    mine = (
        (items["benchmark"] == series.benchmark)
        & (items["metric"] == series.metric)
        & (items["filter"] == series.filter)
    )
    return items[mine]


def means_by_seed(items: pd.DataFrame, series: Series) -> SeedScores:
    """The mean over items of every run, in the metric's own unit."""
    means = rows_of(items, series).groupby(["kind", "arm", "seed"], sort=True, observed=True)["score"].mean()
    out: SeedScores = {}
    for key, mean in means.to_dict().items():
        kind, arm, seed = cast(tuple[str, str, int], key)
        out.setdefault((kind, arm), {})[seed] = float(mean)
    return out


def seed_means(items: pd.DataFrame, series: Series) -> dict[tuple[str, str], FloatArray]:
    """{(kind, name): shape [seeds], the mean over items at each seed}, in the metric's own unit."""
    return {name: np.array([*by_seed.values()]) for name, by_seed in means_by_seed(items, series).items()}


def mean_interval(values: FloatArray) -> tuple[float, float, float]:
    """The mean and its 95% t-interval over seeds; of a single seed, the point itself."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean, mean
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half
