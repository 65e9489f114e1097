"""A teacher that is run in the student's step, and not from stored targets."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

from clpd_bench.distillation.batches import MicroBatch
from clpd_bench.distillation.devices import moved
from clpd_bench.distillation.divergences import TargetRows, tempered
from clpd_bench.distillation.head import head_of
from clpd_bench.distillation.models import hidden_states
from clpd_bench.distillation.supervisors import RowsAt


class LiveTeacher:
    """Says the same as stored targets over the whole vocabulary, and keeps no more than hidden states.

    Args:
        model: in its own dtype; put into evaluation mode, and never changed.
        vocabulary: the tokens that there are; what the head has beyond them is padding.
    """

    def __init__(self, model: PreTrainedModel, vocabulary: int, temperature: float) -> None:
        self.model, self.vocabulary_size, self.temperature = model.eval(), vocabulary, temperature
        self._head = head_of(model, vocabulary)

    @torch.no_grad()
    def rows_of(self, batch: MicroBatch, mine: torch.Tensor) -> RowsAt:
        """Rows by place among the batch's response tokens, computed where they are asked for.

        Args:
            mine: shape [B], which of the batch's rows this teacher supervises; the others are not run through it.
        """
        to, answered = batch.input_ids.device, mine[batch.row_of]
        # Where a row, and a response token, of the batch went among those that are supervised.
        row, place = (chosen.cumsum(0) - 1 for chosen in (mine, answered))
        supervised, tokens = (moved(chosen.nonzero().squeeze(-1), to) for chosen in (mine, answered))
        states = hidden_states(self.model, batch.input_ids[supervised])
        hidden = states[moved(row[batch.row_of[answered]], to), batch.column[tokens]]

        @torch.no_grad()
        def rows_at(places: torch.Tensor) -> TargetRows:
            logits = self._head.logits(hidden[moved(place[places], to)])
            return TargetRows(None, logits, torch.logsumexp(tempered(logits, self.temperature), dim=-1))

        return rows_at
