"""A batch and models of random weights, on which steps are timed: time does not depend on the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PAD, END = 2, 2
Rows = list[tuple[list[int], list[int]]]
"""(prompt, response) token ids."""


@dataclass(frozen=True)
class Size:
    """Of a Llama with tied embeddings."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int


@dataclass(frozen=True)
class Workload:
    """Attributes:
    rows: of a batch, the same in each step.
    prompt, response: tokens of a row, in the mean; `spread` is by how many prompts are longer or shorter.
    micro_batch_tokens: padded tokens of a forward pass.
    """

    vocabulary: int
    student: Size
    teacher: Size
    rows: int
    prompt: int
    response: int
    spread: int
    micro_batch_tokens: int

    @property
    def tokens(self) -> int:
        """Of a batch, with prompts and without padding."""
        return sum(len(prompt) + len(response) for prompt, response in self.batch())

    def batch(self) -> Rows:
        rng = np.random.default_rng(0)

        def drawn(n: int) -> list[int]:
            return [int(token) for token in rng.integers(10, self.vocabulary, n)]

        longer = np.linspace(-self.spread, self.spread, self.rows).round().astype(np.int64)
        return [(drawn(self.prompt + int(d)), [*drawn(self.response - 1), END]) for d in longer]


def model(size: Size, vocabulary: int, dtype: str = "float32", device: str = "cpu") -> Any:
    """A LlamaForCausalLM; made where it will be, which spares minutes at a billion weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        head_dim=size.head_size,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        eos_token_id=END,
        bos_token_id=None,
    )
    torch.manual_seed(size.layers)
    with torch.device(device):
        return LlamaForCausalLM(config).to(getattr(torch, dtype))
