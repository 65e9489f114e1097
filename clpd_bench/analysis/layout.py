"""Where the rows of one evaluation belong, and whether two evaluations are of the same items."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

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
