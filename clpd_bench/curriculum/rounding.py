"""Rounding a matrix to whole numbers without disturbing what its rows and columns add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def controlled_rounding(matrix: Sequence[Sequence[Fraction]]) -> NDArray[np.int64]:
    """A whole-number matrix, each entry the floor or ceiling of the given one, whose column sums are
    exact and whose row sums are the floor or ceiling of the given row sums.

    The columns of `matrix` must add up to whole numbers; exactly, hence fractions: with floats, sums
    that ought to be whole are not. A cycle of fractional entries is found and pushed until one of
    them is whole, as often as needed (Cox 1987, "A constructive procedure for unbiased controlled
    rounding"; here always in the same direction, so the result is a function of the matrix).
    """
    # A column of its own makes the row sums whole.
    values = np.array([[*row, math.ceil(sum(row)) - sum(row)] for row in matrix], dtype=object)
    while True:
        fractional = values % 1 != 0
        if not fractional.any():
            return values[:, :-1].astype(np.int64)
        rows_of, columns_of = map(list, zip(*_cycle(fractional), strict=True))
        up = np.arange(len(rows_of)) % 2 == 0
        entries = values[rows_of, columns_of]
        room = np.where(up, -entries % 1, entries % 1).min()  # how far to the next whole number
        values[rows_of, columns_of] += np.where(up, room, -room)


def _cycle(fractional: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Cells along which steps within a row and within a column take turns, back to the start.

    Rows and columns are the nodes of a bipartite graph, fractional cells its edges. A walk that never
    takes the edge it came by must close: a line with a whole sum and one fractional cell has another.
    """
    node = (0, int(np.argwhere(fractional)[0][0]))
    nodes, edges = [node], list[tuple[int, int]]()
    while True:
        axis, index = node
        line = fractional[index] if axis == 0 else fractional[:, index]
        cells = [(index, int(i)) if axis == 0 else (int(i), index) for i in np.flatnonzero(line)]
        cell = next(c for c in cells if not edges or c != edges[-1])
        edges.append(cell)
        node = (1 - axis, cell[1 - axis])
        if node in nodes:
            return edges[nodes.index(node) :]
        nodes.append(node)
