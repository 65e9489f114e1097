"""From items to one checked array a metric series, one evaluation at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from clpd_bench.analysis.series import REFERENCE, Series
from clpd_bench.errors import UserError

Objects = npt.NDArray[np.object_]
Key = tuple[str, str]
"""Metric and filter: what tells the series of one benchmark apart."""

_KEYS = ("item", "metric", "filter", "prompt_hash", "target_hash")


class Identity(NamedTuple):
    """What the rows of one series are of, ordered by item."""

    items: Objects
    prompts: Objects
    targets: Objects


class Layout:
    """The order of one evaluation's rows.

    Attributes:
        rows: {(metric, filter): positions of its rows, ordered by item}.
        identities: {(metric, filter): what they are of}.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._columns: list[Any] = [frame[name].array for name in _KEYS]
        items, prompts, targets = (
            frame[name].to_numpy(dtype=object) for name in ("item", "prompt_hash", "target_hash")
        )
        self.rows: dict[Key, npt.NDArray[np.intp]] = {}
        self.identities: dict[Key, Identity] = {}
        indices = cast(dict[Key, npt.NDArray[np.intp]], frame.groupby(["metric", "filter"], observed=True).indices)
        for key, found in indices.items():
            rows = found[np.argsort(items[found], kind="stable")]
            self.rows[key] = rows
            self.identities[key] = Identity(items[rows], prompts[rows], targets[rows])

    def title(self, key: Key) -> str:
        """Metric and, where there are several of it, filter."""
        metric, name = key
        return metric if [one for one, _ in self.rows].count(metric) == 1 else f"{metric} ({name})"

    def fits(self, frame: pd.DataFrame) -> bool:
        """Whether `frame` has the very same rows in the same order, all but their scores."""
        return all(mine.equals(frame[name].array) for mine, name in zip(self._columns, _KEYS, strict=True))


def check_once(identity: Identity, what: str, run: str) -> None:
    """Raise a UserError if an item is there twice."""
    again = identity.items[1:] == identity.items[:-1]
    if again.any():
        raise UserError(f"{what}: item {identity.items[again.argmax()]!r} is there twice for {run}")


def check_same(one: Identity, other: Identity, what: str, run: str, other_run: str) -> None:
    """Raise a UserError that names the first item in which two runs differ."""
    if not np.array_equal(one.items, other.items):
        ours = set(one.items.tolist())
        item = min(ours ^ set(other.items.tolist()))
        raise UserError(
            f"{what}: {other_run if item in ours else run} has no item {item!r}, which other runs have",
            fix="Evaluate every run on the same items",
        )
    for name, mine, its in (("prompt", one.prompts, other.prompts), ("target", one.targets, other.targets)):
        differing = np.not_equal(mine, its)
        if differing.any():
            raise UserError(
                f"{what}: the {name} of item {one.items[differing.argmax()]!r} differs between {run} and {other_run}",
                fix="Evaluate every run with the same prompts and targets",
            )


FloatArray = npt.NDArray[np.float64]
Run = tuple[str, int]
"""Arm and seed."""


class Evaluation(NamedTuple):
    """The outcomes of one run on one benchmark, as its items.parquet has them.

    Attributes:
        kind: `arm`, or REFERENCE.
        items: columns item, metric, filter, score, prompt_hash, target_hash, and any others.
    """

    kind: str
    arm: str
    seed: int
    items: pd.DataFrame


@dataclass(frozen=True)
class Outcomes:
    """One metric series, every run on the same items.

    Attributes:
        runs: (arm, seed), sorted.
        references: which of the arms' names are references.
        items: item ids, sorted.
        scores: [run, item].
    """

    runs: tuple[Run, ...]
    items: tuple[str, ...]
    scores: FloatArray
    references: frozenset[str]

    def seeds(self, arm: str) -> list[int]:
        """The seeds that an arm (not a reference) has, ascending."""
        return [seed for name, seed in self.runs if name == arm and arm not in self.references]


def by_benchmark(items: pd.DataFrame) -> Iterator[tuple[str, Iterator[Evaluation]]]:
    """The long table (ITEM_COLUMNS) as evaluations, ordered by benchmark, arm and seed."""
    for benchmark, rows in items.groupby("benchmark", observed=True):
        yield str(benchmark), _evaluations(rows)


def _evaluations(rows: pd.DataFrame) -> Iterator[Evaluation]:
    for key, mine in rows.groupby(["arm", "seed", "kind"], observed=True):
        arm, seed, kind = cast(tuple[str, int, str], key)
        yield Evaluation(kind, arm, int(seed), mine)


def outcomes(items: pd.DataFrame, series: Series) -> Outcomes:
    """One series of the long table; see `benchmark_outcomes`."""
    mine = (
        (items["benchmark"] == series.benchmark)
        & (items["metric"] == series.metric)
        & (items["filter"] == series.filter)
    )
    return benchmark_outcomes(series.benchmark, _evaluations(items[mine]))[series.metric, series.filter]


def benchmark_outcomes(benchmark: str, evaluations: Iterable[Evaluation]) -> dict[Key, Outcomes]:
    """The series of one benchmark, by metric and filter, checked that their runs may be paired item by item.

    Of an evaluation only the scores are kept. One whose rows stand in the order of the one before it (as
    evaluations write them) is compared with it column by column and not sorted again.

    Raises:
        UserError: an outcome that is there twice; an item that one run has and another doesn't, or
            whose prompt or target differs between runs; a non-finite score. The message names the
            first such item.
    """
    collected: dict[Key, _Collected] = {}
    layout: Layout | None = None
    for kind, arm, seed, frame in evaluations:
        known = layout is not None and layout.fits(frame)
        if layout is None or not known:
            layout = Layout(frame)
        scores = frame["score"].to_numpy(dtype=np.float64)
        for key, rows in layout.rows.items():
            identity = layout.identities[key]
            if key not in collected:
                collected[key] = _Collected(f"{benchmark} {layout.title(key)}", (arm, seed), identity)
            collected[key].add(kind, (arm, seed), scores[rows], None if known else identity)
    return {key: one.outcomes() for key, one in collected.items()}


class _Collected:
    """One series while its runs come in."""

    def __init__(self, what: str, first: Run, identity: Identity) -> None:
        self._what = what
        self._first = first
        self._identity = identity
        self._scores: dict[Run, FloatArray] = {}
        self._references: set[str] = set()

    def add(self, kind: str, run: Run, scores: FloatArray, identity: Identity | None) -> None:
        """`identity`: to be checked; None where it is the one of the run before."""
        if identity is not None:
            check_once(identity, self._what, _named(*run))
            check_same(self._identity, identity, self._what, _named(*self._first), _named(*run))
        if run in self._scores:
            raise UserError(f"{self._what}: item {self._identity.items[0]!r} is there twice for {_named(*run)}")
        bad = ~np.isfinite(scores)
        if bad.any():
            raise UserError(
                f"{self._what}: the score of item {self._identity.items[bad.argmax()]!r} for {_named(*run)} "
                f"is {scores[bad.argmax()]}, not a finite number"
            )
        self._scores[run] = scores
        if kind == REFERENCE:
            self._references.add(run[0])

    def outcomes(self) -> Outcomes:
        runs = sorted(self._scores)
        scores = np.stack([self._scores.pop(run) for run in runs])
        return Outcomes(tuple(runs), tuple(self._identity.items.tolist()), scores, frozenset(self._references))


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


def complete_seeds(outcomes: Outcomes, arms: Sequence[str], left_out: frozenset[Run] = frozenset()) -> list[int]:
    """The seeds at which every one of `arms` has outcomes and none of them is left out, ascending."""
    complete = set.intersection(*(set(outcomes.seeds(arm)) for arm in arms))
    return sorted(seed for seed in complete if not any((arm, seed) in left_out for arm in arms))


def _named(arm: str, seed: int) -> str:
    return f"{arm} at seed {seed}" if seed >= 0 else arm
