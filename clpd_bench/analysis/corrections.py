"""Corrections of p-values for how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clpd_bench.analysis.outcomes import FloatArray


def holm(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """Holm's (1979) step-down adjusted p-values, in the order given.

    The k-th smallest of m becomes the largest, so far, of (m - k + 1) p, at most 1. A nan (a
    declared test that could not be made) stays nan and keeps its place in m, as p = 1 would: a
    family does not get cheaper because one of its arms is missing.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)  # nan last
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def bonferroni(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """m p, at most 1; a nan stays nan and keeps its place in m."""
    p = np.asarray(p_values, dtype=np.float64)
    return np.minimum(p * len(p), 1.0)


def uncorrected(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """The p-values as they are."""
    return np.array(p_values, dtype=np.float64)


CORRECTIONS: dict[str, Callable[[Sequence[float]], FloatArray]] = {
    "holm": holm,
    "bonferroni": bonferroni,
    "none": uncorrected,
}


def benjamini_hochberg(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """Benjamini and Hochberg's (1995) adjusted p-values: the share of false ones to expect among those at
    most as large. For reading a whole table; a nan is no test and counts for nothing.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]  # nan last
    steps = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted
