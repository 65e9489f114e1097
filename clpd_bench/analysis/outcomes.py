"""From the long items table to one checked array a metric series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clpd_bench.analysis.items import REFERENCE
from clpd_bench.analysis.metrics import Series
from clpd_bench.errors import UserError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """One metric series, every run on the same items.

    Attributes:
        runs: (arm, seed), sorted.
        references: which of the arms' names are references.
        items: item ids, sorted.
        scores: [run, item].
    """

    runs: tuple[tuple[str, int], ...]
    items: tuple[str, ...]
    scores: FloatArray
    references: frozenset[str]

    def seeds(self, arm: str) -> list[int]:
        """The seeds that an arm (not a reference) has, ascending."""
        return [seed for name, seed in self.runs if name == arm and arm not in self.references]


def outcomes(items: pd.DataFrame, series: Series) -> Outcomes:
    """Take one series out of `items` and check that its runs may be paired item by item.

    Raises:
        UserError: an outcome that is there twice; an item that one run has and another doesn't, or
            whose prompt or target differs between runs; a non-finite score. The message names the
            first such item.
    """
    mine = (
        (items["benchmark"] == series.benchmark)
        & (items["metric"] == series.metric)
        & (items["filter"] == series.filter)
    )
    rows = items[mine].sort_values(["arm", "seed", "item"], kind="stable")
    runs = list(dict.fromkeys(zip(rows["arm"].tolist(), rows["seed"].tolist(), strict=True)))
    ids = sorted(set(rows["item"].tolist()))

    twice = rows[rows.duplicated(["arm", "seed", "item"])]
    if len(twice):
        arm, seed, item = twice[["arm", "seed", "item"]].iloc[0]
        raise UserError(f"{series}: item {item!r} is there twice for {_run(arm, seed)}")
    if len(rows) != len(runs) * len(ids):
        raise _missing_item(rows, runs, ids, series)

    shape = (len(runs), len(ids))
    for column, what in (("prompt_hash", "prompt"), ("target_hash", "target")):
        hashes = rows[column].to_numpy(dtype=object).reshape(shape)
        differing = (hashes != hashes[:1]).T  # [item, run]: the first item, then its first run
        if differing.any():
            which, run = np.argwhere(differing)[0]
            raise UserError(
                f"{series}: the {what} of item {ids[which]!r} differs between {_run(*runs[0])} and {_run(*runs[run])}",
                fix="Evaluate every run with the same prompts and targets",
            )
    scores = rows["score"].to_numpy(dtype=np.float64).reshape(shape)
    bad = ~np.isfinite(scores)
    if bad.any():
        run, which = np.argwhere(bad)[0]
        raise UserError(
            f"{series}: the score of item {ids[which]!r} for {_run(*runs[run])} "
            f"is {scores[run, which]}, not a finite number"
        )
    references = frozenset(rows.loc[rows["kind"] == REFERENCE, "arm"].tolist())
    return Outcomes(tuple(runs), tuple(ids), scores, references)


def outcome_array(outcomes: Outcomes, arm: str, seeds: Sequence[int]) -> FloatArray:
    """y[seed, item] of one arm, in the order of `seeds` and of `outcomes.items`.

    Raises:
        UserError: the arm has no outcomes at one of the seeds.
    """
    position = {run: i for i, run in enumerate(outcomes.runs)}
    for seed in seeds:
        if (arm, seed) not in position:
            raise UserError(f"{arm} has no outcomes at seed {seed}", allowed=outcomes.seeds(arm))
    return outcomes.scores[[position[arm, seed] for seed in seeds]]


def complete_seeds(outcomes: Outcomes, arms: Sequence[str]) -> list[int]:
    """The seeds at which every one of `arms` has outcomes, ascending."""
    return sorted(set.intersection(*(set(outcomes.seeds(arm)) for arm in arms)))


def _run(arm: str, seed: int) -> str:
    return f"{arm} at seed {seed}" if seed >= 0 else arm


def _missing_item(rows: pd.DataFrame, runs: list[tuple[str, int]], ids: list[str], series: Series) -> UserError:
    present = set(zip(rows["arm"], rows["seed"], rows["item"], strict=True))
    item, (arm, seed) = next((item, run) for item in ids for run in runs if (*run, item) not in present)
    return UserError(
        f"{series}: {_run(arm, seed)} has no item {item!r}, which other runs have",
        fix="Evaluate every run on the same items",
    )
