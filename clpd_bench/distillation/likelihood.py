"""A model's likelihood of an example's own response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.batches import MicroBatch, micro_batches
from clpd_bench.distillation.chunked import logits_in_chunks
from clpd_bench.distillation.divergences import cross_entropy
from clpd_bench.distillation.head import head_of
from clpd_bench.distillation.models import hidden_states, length_boundaries
from clpd_bench.distillation.shards import Keep, Tensors, compute
from clpd_bench.distillation.vocabulary import Vocabulary


@dataclass(frozen=True)
class Scores:
    """By example, shape [N]: the mean nats a response token (end token included), and whether the
    likeliest token is the right one all along, which is whether greedy decoding reproduces it."""

    response_loss: NDArray[np.float64]
    sequence_accuracy: NDArray[np.bool_]

    def mean(self, metric: str) -> float:
        return float(getattr(self, metric).mean())


@torch.inference_mode()
def score(
    model: PreTrainedModel,
    split: Split,
    batch_tokens: int,
    vocabulary: Vocabulary,
    keep: Keep = compute,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Scores:
    """Scores every example of a split, teacher-forced.

    Args:
        keep: where each batch's result is kept.
        progress: called with (examples done, of) after each batch.
    """
    was_training = model.training
    model.eval()
    loss, wrong, done = np.zeros(len(split.ids)), np.zeros(len(split.ids)), 0
    everything, boundaries = np.arange(len(split.ids)), length_boundaries(model)
    for batch in micro_batches(split, everything, batch_tokens, vocabulary.pad_id, model.device, boundaries):
        sums = keep(f"scores/{batch.fingerprint}", partial(_sums, model, batch, vocabulary.size))
        loss[batch.places], wrong[batch.places] = sums["loss"].numpy(), sums["wrong"].numpy()
        done += len(batch.places)
        progress(done, len(split.ids))
    model.train(was_training)
    return Scores(loss / split.responses.lengths, wrong == 0)


def _sums(model: PreTrainedModel, batch: MicroBatch, vocabulary: int) -> Tensors:
    """By row, shape [B]: the nats of its response, and how many of its tokens are not the likeliest."""
    hidden = hidden_states(model, batch.input_ids)[batch.row, batch.column]
    of_tokens: list[torch.Tensor] = []
    for part, make_logits in logits_in_chunks(hidden, head_of(model, vocabulary)):
        logits, labels = make_logits(), batch.labels[part]
        missed = logits.argmax(-1) != labels
        of_tokens.append(torch.stack([cross_entropy(logits, labels).double(), missed.double()]))
    # In one piece: a GPU is waited for as often as it is asked for something.
    loss, wrong = torch.cat(of_tokens, dim=1).cpu()
    return {name: _by_row(values, batch) for name, values in (("loss", loss), ("wrong", wrong))}


def _by_row(of_tokens: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
    """Shape [B], the sums of [R], one after the other."""
    sums = np.zeros(len(batch.places))
    np.add.at(sums, batch.row_of.numpy(), of_tokens.numpy())
    return torch.from_numpy(sums)
