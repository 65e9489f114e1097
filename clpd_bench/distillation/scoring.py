"""A model's likelihood of an example's own response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.batches import micro_batches
from clpd_bench.distillation.chunked import logits_in_chunks
from clpd_bench.distillation.divergences import cross_entropy
from clpd_bench.distillation.models import head_weight, hidden_states


@dataclass(frozen=True)
class Scores:
    """By example, shape [N]: the mean nats a response token (end token included), and whether the
    likeliest token is the right one all along, which is whether greedy decoding reproduces it."""

    response_loss: NDArray[np.float64]
    reproduced: NDArray[np.bool_]

    def mean(self, metric: str) -> float:
        return float(self.response_loss.mean() if metric == "response_loss" else self.reproduced.mean())


@torch.inference_mode()
def score(model: PreTrainedModel, split: Split, batch_tokens: int, pad_id: int) -> Scores:
    """Scores every example of a split, teacher-forced."""
    weight = head_weight(model)
    was_training = model.training
    model.eval()
    loss, wrong = np.zeros(len(split.ids)), np.zeros(len(split.ids))
    for batch in micro_batches(split, np.arange(len(split.ids)), batch_tokens, pad_id, weight.device):
        hidden = hidden_states(model, batch.input_ids)[batch.row, batch.column]
        for part, make_logits in logits_in_chunks(hidden, weight):
            logits, labels = make_logits(), batch.labels[part]
            where = batch.places[batch.row[part].cpu().numpy()]
            np.add.at(loss, where, cross_entropy(logits, labels).double().cpu().numpy())
            np.add.at(wrong, where, (logits.argmax(-1) != labels).double().cpu().numpy())
    model.train(was_training)
    return Scores(loss / split.responses.lengths, wrong == 0)
