"""Corrections of p-values for the size of a family."""

from __future__ import annotations

from collections.abc import Sequence

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
