"""The loss of a micro-batch as the forward of a module, and the gradients of a global batch by it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from torch import nn
from transformers import PreTrainedModel

from clpd_bench.distillation.chunked import chunked_sum
from clpd_bench.distillation.divergences import TokenLoss
from clpd_bench.distillation.head import head_of
from clpd_bench.distillation.models import hidden_states
from clpd_bench.distillation.scheduled import GlobalBatch, SupervisedBatch
from clpd_bench.distillation.supervisors import Supervisors
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.settings.parts.loss import CrossEntropy, DivergenceSettings, Loss


class BatchLoss(nn.Module):
    """The sum of token losses over a micro-batch, by the number of response tokens of its global batch: the shares of
    all micro-batches add up to the loss of the step.

    Logits are made a few response tokens at a time, in float32 or finer.

    Args:
        model: the student.
        loss: its settings, or what stands under `loss:` in an ablation file, such as
            `{"name": "forward_kl", "temperature": 2.0}`.

    Raises:
        ValidationError: there is no such loss, or it has no such setting.
    """

    def __init__(
        self, model: PreTrainedModel, loss: CrossEntropy | DivergenceSettings | dict[str, Any], vocabulary: Vocabulary
    ) -> None:
        super().__init__()
        loss = TypeAdapter[CrossEntropy | DivergenceSettings](Loss).validate_python(loss)
        self.model, self._vocabulary = model, vocabulary.size
        self._taught, self._of_tokens = loss.taught, TokenLoss(loss)
        self._temperature = 1.0 if isinstance(loss, CrossEntropy) else loss.temperature

    def forward(self, batch: SupervisedBatch) -> torch.Tensor:
        """A scalar with a graph, to be differentiated once.

        Raises:
            ValueError: nobody asks the teachers that the loss wants, they speak at another temperature, or mixed
                precision is left to somebody who cannot have it here.
        """
        self._require(batch.supervisors, batch.rows.input_ids.device)
        rows = batch.rows
        if batch.seed is not None:
            torch.manual_seed(batch.seed)
        hidden = hidden_states(self.model, rows.input_ids)[rows.row, rows.column]
        # Taken here: a head that is computed (of adapters, say) has a graph, which a backward pass uses up.
        head = head_of(self.model, self._vocabulary)
        return chunked_sum(hidden, head, partial(self._of_part, batch)) / batch.normaliser

    def _require(self, supervisors: Supervisors, device: torch.device) -> None:
        if self._taught and supervisors.unasked:
            raise ValueError("the loss wants what teachers say: give ScheduledBatches their targets, or live teachers")
        if self._taught and not supervisors.temperatures <= {self._temperature}:
            others = ", ".join(f"{t:g}" for t in sorted(supervisors.temperatures))
            raise ValueError(f"the loss has temperature {self._temperature:g}, and its teachers speak at {others}")
        if torch.is_autocast_enabled(device.type) or hasattr(self.model, "_original_forward"):
            # accelerate wraps the model's forward, and here its decoder is called: nothing of it would be in bfloat16.
            raise ValueError(
                "autocast has no effect on this loss, or one that nobody has tested: leave bf16 and fp16 off, and let "
                "`precision: bfloat16` of Training say it"
            )

    def _of_part(self, batch: SupervisedBatch, logits: torch.Tensor, part: slice) -> torch.Tensor:
        return self._of_tokens(logits, batch.rows.labels[part], *batch.supervisors.of(part), batch.moment)


def backward(loss: nn.Module, batch: GlobalBatch) -> tuple[torch.Tensor, NDArray[np.int64]]:
    """Adds the gradients of a step to the model's, micro-batch by micro-batch.

    Args:
        loss: a `BatchLoss`, or what wraps one.

    Returns:
        The step's loss, a float64 scalar, and which presentations went through, as ascending places in the batch.
    """
    # Every step has a stream of its own, also for a loss of the user's own: a resumed run needs no generator's state.
    torch.manual_seed(batch.seed)
    total, places = torch.zeros((), dtype=torch.float64), []
    for micro_batch in batch.micro_batches():
        share = loss(micro_batch)
        share.backward()
        total = total.to(share.device) + share.detach()
        places.append(micro_batch.rows.places)
    return total, np.sort(np.concatenate(places))
