"""The output head of a causal language model, applied by hand to the hidden states that are wanted."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedModel


@dataclass(frozen=True)
class Head:
    """What a model does to its last hidden states.

    Attributes:
        weight: shape [V, D].
        bias: shape [V], or None.
        scale: what logits are multiplied by (1 / Granite's `logits_scaling`, Cohere's `logit_scale`).
        soft_cap: c of c tanh(logit / c), or None (Gemma 2's `final_logit_softcapping`).
    """

    weight: torch.Tensor
    bias: torch.Tensor | None = None
    scale: float = 1.0
    soft_cap: float | None = None

    @property
    def vocabulary(self) -> int:
        """V."""
        return int(self.weight.shape[0])

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Shape [R, V] of hidden [R, D]: float32, or float64 of float64."""
        product = F.linear(hidden, self.weight, self.bias)
        return self.finished(product if product.dtype == torch.float64 else product.float())

    def finished(self, product: torch.Tensor) -> torch.Tensor:
        """What scale and soft-cap make of weight @ hidden + bias."""
        scaled = product if self.scale == 1.0 else product * self.scale
        return scaled if self.soft_cap is None else self.soft_cap * torch.tanh(scaled / self.soft_cap)


def head_of(model: PreTrainedModel, vocabulary: int | None = None) -> Head:
    """A model's head, cut to the first `vocabulary` rows where the rest is padding.

    Raises:
        ValueError: the head is no linear layer, or has fewer rows.
    """
    layer = model.get_output_embeddings()
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"{type(model).__name__}'s output head is no linear layer")
    rows = layer.weight.shape[0]
    if vocabulary is not None and vocabulary > rows:
        raise ValueError(f"{type(model).__name__}'s output head has {rows} rows for {vocabulary} tokens")
    config = model.config.get_text_config()
    scale = getattr(config, "logit_scale", None) or 1.0 / (getattr(config, "logits_scaling", None) or 1.0)
    weight: torch.Tensor = layer.weight
    bias: torch.Tensor | None = layer.bias
    if vocabulary is not None and vocabulary < rows:
        weight, bias = weight[:vocabulary], None if bias is None else bias[:vocabulary]
    return Head(weight, bias, scale, getattr(config, "final_logit_softcapping", None))
