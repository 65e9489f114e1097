"""What the teachers of a micro-batch say of its response tokens, each of the presentations that it supervises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from clpd_bench.distillation.batches import MicroBatch
from clpd_bench.distillation.devices import moved
from clpd_bench.distillation.divergences import TargetRows

RowsAt = Callable[[torch.Tensor], TargetRows]
"""(places among a micro-batch's R response tokens, on the CPU) -> what the teacher says there."""


class Teacher(Protocol):
    """Stored targets, or a live teacher.

    Attributes:
        model: who reads the batches, where one does.
        temperature: that of `TargetRows.log_z`.
    """

    @property
    def vocabulary_size(self) -> int: ...

    @property
    def model(self) -> PreTrainedModel | None: ...

    @property
    def temperature(self) -> float: ...

    def rows_of(self, batch: MicroBatch, mine: torch.Tensor) -> RowsAt:
        """Args:
        mine: shape [B], which of the batch's rows it supervises. On the CPU.
        """
        ...


class Supervisors:
    """Args:
    teachers: shape [B], who supervises each row: 1 (weakest) .. M, or 0 for nobody.
    asked: the M teachers; None where nobody asks them.

    Attributes:
        unasked: whether there are some that nobody asks.
        temperatures: of those that are asked.
    """

    def __init__(self, batch: MicroBatch, teachers: NDArray[np.int64], asked: Sequence[Teacher] | None) -> None:
        by_row = torch.from_numpy(teachers)
        self._by_token, self._device = by_row[batch.row_of], batch.labels.device
        self.unasked = asked is None and bool((by_row > 0).any())
        self.temperatures = {teacher.temperature for teacher in asked or ()}
        self._rows = {m: asked[m - 1].rows_of(batch, by_row == m) for m in _present(by_row)} if asked else {}

    def of(self, part: slice) -> tuple[TargetRows | None, torch.Tensor | None]:
        """What is said of these of the batch's response tokens, and which of them a teacher supervises, as places in
        the part; None for all. (None, None) where nobody does."""
        here = self._by_token[part]
        supervisors = _present(here) if self._rows else []
        if not supervisors:
            return None, None
        taught = (here > 0).nonzero().squeeze(-1)
        here = here[taught]
        of_each = [(here == m).nonzero().squeeze(-1) for m in supervisors]
        said = [self._rows[m](part.start + taught[mine]) for m, mine in zip(supervisors, of_each, strict=True)]
        both = said[0] if len(said) == 1 else _in_order(said, moved(torch.cat(of_each).argsort(), self._device))
        return both, None if len(taught) == part.stop - part.start else moved(taught, self._device)


def _present(teachers: torch.Tensor) -> list[int]:
    return sorted(set(teachers[teachers > 0].tolist()))


def _in_order(said: list[TargetRows], order: torch.Tensor) -> TargetRows:
    """One after the other, then taken in this order."""
    ids = [rows.ids for rows in said if rows.ids is not None]
    return TargetRows(
        torch.cat(ids)[order] if ids else None,
        torch.cat([rows.logits for rows in said])[order],
        torch.cat([rows.log_z for rows in said])[order],
    )
