"""Two sides cell by cell and over seeds, and in what they differ: in keys, and in manifests beside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.analysis.paired import paired_t
from clpd_bench.plan.why import Cause, causes
from clpd_bench.results.provenance import manifest_fields
from clpd_bench.results.sides import Side
from clpd_bench.results.standing import ranges

_IDENTITY = ["item", "prompt_hash", "target_hash"]


class CellPair(NamedTuple):
    """A cell that both have, on one metric of one benchmark.

    Attributes:
        arm: with its point of the grid, as `clpd[strength=0.6]`.
        first, second, difference: means over items, first - second, in the metric's own unit.
        items: how many the first has.
        changed: on how many of them the two differ; -1 where they are not the same items, and so cannot be paired.
        artifact: `one` where both read the very same artifact, `equal` where two stores have one of the same key (the
            same settings and code, run twice), `student` where only the students are the same by their keys, `other`
            elsewhere.
    """

    arm: str
    seed: int
    benchmark: str
    metric: str
    filter: str
    first: float
    second: float
    difference: float
    items: int
    changed: int
    artifact: str


class ArmPair(NamedTuple):
    """An arm over the seeds that both have. The interval is the paired t's, 95%, nan of fewer than two seeds.

    Attributes:
        first, second: means over these seeds.
        paired: whether at each seed the items are the same.
    """

    arm: str
    benchmark: str
    metric: str
    filter: str
    seeds: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    paired: bool


def cell_pairs(one: Side, other: Side) -> list[CellPair]:
    """Of all cells that both have evaluated, in the order of the first."""
    same_store = one.store.root.resolve() == other.store.root.resolve()
    out = []
    for name, benchmark, mine, theirs in both_done(one, other):
        artifact = "one" if same_store else "equal"
        if mine != theirs:
            artifact = "student" if one.cells[name].model == other.cells[name].model else "other"
        cell = one.cells[name]
        a, b = (pd.read_parquet(s.store.artifact(k) / "items.parquet") for s, k in ((one, mine), (other, theirs)))
        for key, rows in a.groupby(["metric", "filter"], sort=True):
            metric, filtered = map(str, key)
            others = b[(b["metric"] == metric) & (b["filter"] == filtered)]
            if len(others):
                out.append(_pair((cell.arm_at_point, cell.seed, benchmark, metric, filtered), rows, others, artifact))
    return out


def both_done(one: Side, other: Side) -> Iterator[tuple[str, str, str, str]]:
    """(cell, benchmark, the key of its evaluation here, and there)."""
    for name, cell in one.cells.items():
        for benchmark, mine in cell.evaluations.items():
            theirs = other.cells[name].evaluations.get(benchmark) if name in other.cells else None
            if theirs and one.store.is_done(mine) and other.store.is_done(theirs):
                yield name, benchmark, mine, theirs


def in_one_alone(one: Side, other: Side) -> list[str]:
    """`clpd on gsm8k (seeds 0-3)` of those that are done here and not there."""
    both = {(name, benchmark) for name, benchmark, _, _ in both_done(one, other)}
    seeds: dict[str, set[int]] = {}
    for name, cell in one.cells.items():
        for benchmark, key in cell.evaluations.items():
            if one.store.is_done(key) and (name, benchmark) not in both:
                seeds.setdefault(f"{cell.arm_at_point} on {benchmark}", set()).add(cell.seed)
    return [f"{what} (seeds {ranges(mine)})" for what, mine in seeds.items()]


def arm_pairs(pairs: Sequence[CellPair]) -> list[ArmPair]:
    """Over seeds, in the order in which arms and metrics are met."""
    groups: dict[tuple[str, str, str, str], list[CellPair]] = {}
    for pair in pairs:
        groups.setdefault((pair.arm, pair.benchmark, pair.metric, pair.filter), []).append(pair)
    out = []
    for key, mine in groups.items():
        a, b, d = (np.array([getattr(one, name) for one in mine]) for name in ("first", "second", "difference"))
        paired = all(one.changed >= 0 for one in mine)
        out.append(ArmPair(*key, len(mine), float(a.mean()), float(b.mean()), *_mean_interval(d), paired))
    return out


def _pair(which: tuple[str, int, str, str, str], rows: pd.DataFrame, others: pd.DataFrame, artifact: str) -> CellPair:
    a, b = (one.sort_values("item", kind="stable") for one in (rows, others))
    x, y = a["score"].to_numpy(dtype=np.float64), b["score"].to_numpy(dtype=np.float64)
    same = len(a) == len(b) and all(np.array_equal(a[name].to_numpy(), b[name].to_numpy()) for name in _IDENTITY)
    difference = float((x - y).mean()) if same else float(x.mean() - y.mean())
    changed = int((x != y).sum()) if same else -1
    return CellPair(*which, float(x.mean()), float(y.mean()), difference, len(x), changed, artifact)


def _mean_interval(differences: FloatArray) -> tuple[float, float, float]:
    if len(differences) < 2 or not np.isfinite(differences).all():
        return float(differences.mean()), float("nan"), float("nan")
    test = paired_t(differences)
    return test.difference, test.low, test.high


class FieldDifference(NamedTuple):
    """A field of the manifests in which the two differ: `what` is `student` or `evaluation`."""

    what: str
    field: str
    first: str
    second: str
    cells: list[str]


def new_in_keys(one: Side, other: Side) -> dict[str, list[str]]:
    """{root cause why keys differ, where `was` is the second: arms that have it}, each arm by its first common seed."""
    out: dict[str, list[str]] = {}
    seen: dict[tuple[str, str], None] = {}
    for name, benchmark, mine, theirs in both_done(one, other):
        arm = one.cells[name].arm_at_point
        if (arm, benchmark) in seen:
            continue
        seen[arm, benchmark] = None
        now, before = one.known(mine), other.known(theirs)
        if now is None or before is None:
            continue
        for cause in causes(now, before, one.known, other.known):
            # A cell's own jobs are labelled with arm and seed, which are said beside.
            job = re.sub(r"^(student|evaluation|initial weights)[ /].*", r"\1", cause.job)
            arms = out.setdefault(str(Cause(job, cause.text)), [])
            if arm not in arms:
                arms.append(arm)
    return out


def recorded(one: Side, other: Side) -> list[FieldDifference]:
    """Versions, devices, hosts, measured numbers and all else that manifests hold and keys do not."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for name, benchmark, mine, theirs in both_done(one, other):
        pairs = {"student": (one.cells[name].model, other.cells[name].model), "evaluation": (mine, theirs)}
        for what, (a, b) in pairs.items():
            fields, others = (manifest_fields(s.store.manifest(k) or {}) for s, k in ((one, a), (other, b)))
            cell = name if what == "student" else f"{name} on {benchmark}"
            for field in dict.fromkeys([*fields, *others]):
                values = fields.get(field, ""), others.get(field, "")
                if values[0] != values[1]:
                    cells = found.setdefault((what, field, *values), [])
                    if cell not in cells:
                        cells.append(cell)
    return [FieldDifference(*key, cells) for key, cells in found.items()]
