"""Choosing among trials: the best mean over tuning seeds, where a trial that diverged is worse than any other."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clpd_bench.settings.tune import LOWER_IS_BETTER, Metric


def mean_and_sd(scores: Iterable[float | None]) -> tuple[float | None, float | None]:
    """Over the seeds of a trial; the sd is the sample's, None with fewer than two seeds.

    Both are None where a student diverged: a mean over the others would leave out what went worst.
    """
    values = list(scores)
    finite = [value for value in values if value is not None]
    if len(finite) < len(values):
        return None, None
    return statistics.fmean(finite), statistics.stdev(finite) if len(finite) > 1 else None


def choose(means: Sequence[float | None], metric: Metric) -> int | None:
    """The place of the best mean, of equal ones the first listed; None where every trial diverged."""
    sign = 1 if LOWER_IS_BETTER[metric] else -1
    there = [(sign * mean, place) for place, mean in enumerate(means) if mean is not None]
    return min(there)[1] if there else None


def edges(chosen: Mapping[str, Any], space: Mapping[str, Sequence[Any]]) -> list[str]:
    """Numeric keys whose chosen value is the smallest or the largest of several: a better one may lie beyond."""
    out = []
    for key, values in space.items():
        numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        if numeric and len(values) > 1 and chosen[key] in (min(values), max(values)):
            out.append(key)
    return out
