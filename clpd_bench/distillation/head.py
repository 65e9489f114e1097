"""The output head of a causal language model, applied by hand to the hidden states that are wanted."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedModel

MULTIPLE = {"cpu": 1, "cuda": 64}
"""Of rows, by the type of device: products of bfloat16 are fast on a GPU where their widths are multiples of it, and a
tokenizer's vocabulary is none."""


@dataclass(frozen=True)
class Head:
    """What a model does to its last hidden states.

    Attributes:
        weight: shape [V or more, D].
        bias: of as many, or None.
        scale: what logits are multiplied by (1 / Granite's `logits_scaling`, Cohere's `logit_scale`).
        soft_cap: c of c tanh(logit / c), or None (Gemma 2's `final_logit_softcapping`).
        tokens: V, where the rows behind are padding; None where there is none.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None = None
    scale: float = 1.0
    soft_cap: float | None = None
    tokens: int | None = None

    @property
    def vocabulary(self) -> int:
        """V."""
        return int(self.weight.shape[0]) if self.tokens is None else self.tokens

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Shape [R, V] of hidden [R, D]: float32, or float64 of float64."""
        product = F.linear(hidden, self.weight, self.bias)
        return self.finished(product if product.dtype == torch.float64 else product.float())

    def finished(self, product: torch.Tensor) -> torch.Tensor:
        """What scale and soft-cap make of weight @ hidden + bias, without padding."""
        mine = product if self.tokens is None else product[:, : self.tokens]
        scaled = mine if self.scale == 1.0 else mine * self.scale
        return scaled if self.soft_cap is None else self.soft_cap * torch.tanh(scaled / self.soft_cap)


def head_of(model: PreTrainedModel, vocabulary: int | None = None) -> Head:
    """A model's head, cut to the first `vocabulary` rows where the rest is padding; to a multiple of `MULTIPLE`, if it
    has so many.

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
    tokens = None
    if vocabulary is not None and vocabulary < rows:
        multiple = MULTIPLE[weight.device.type]
        kept = min(-(-vocabulary // multiple) * multiple, rows)
        weight, bias = weight[:kept], None if bias is None else bias[:kept]
        tokens = vocabulary if vocabulary < kept else None
    return Head(weight, bias, scale, getattr(config, "final_logit_softcapping", None), tokens)
