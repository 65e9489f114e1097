"""Pacings and teacher rules of the user's own. Where exposure is counted before training, their files run
there too: what is counted is the very schedule.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from clpd_bench.outside.plugins import load
from clpd_bench.settings.plugin import Plugin

TOLERANCE = 1e-9


def own_shares(plugin: Plugin, stages: int) -> list[list[Fraction]]:
    """Shape [K, K]: the share [k][j] of bucket j's presentations that falls into stage k; columns add up
    to 1 exactly.

    Raises:
        PluginError: it fails, or its shares are not doubly stochastic: some examples would be shown more
            often than others, or stages would differ in length.
    """
    function = load(plugin)
    returned = function(stages)
    wanted = f"{stages} lists of {stages} shares from 0 to 1, each list and each column adding up to 1"
    try:
        rows = [[float(share) for share in row] for row in returned]
    except (TypeError, ValueError):
        raise function.refused(returned, wanted) from None
    square = len(rows) == stages and all(len(row) == stages for row in rows)
    lines = [*rows, *zip(*rows, strict=True)] if square else []
    if not lines or any(not abs(sum(line) - 1) <= TOLERANCE or min(line) < 0 for line in lines):
        raise function.refused(returned, wanted)
    # A third is meant where the float nearest to it is written; what is left of rounding goes to the largest.
    shares = [[Fraction(share).limit_denominator(10**9) for share in row] for row in rows]
    for j in range(stages):
        column = [row[j] for row in shares]
        shares[column.index(max(column))][j] += 1 - sum(column)
    return shares


def own_teachers(plugin: Plugin, stages: int, teachers: int) -> list[int]:
    """The teacher (1 = weakest .. M, 0 = nobody) of each stage.

    Raises:
        PluginError: it fails, or returns something else.
    """
    function = load(plugin)
    out = []
    for stage in range(1, stages + 1):
        returned: Any = function(stage, stages, teachers)
        if isinstance(returned, bool) or not isinstance(returned, int) or not 0 <= returned <= teachers:
            raise function.refused(returned, f"a whole number from 0 to {teachers}")
        out.append(returned)
    return out
