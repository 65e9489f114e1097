"""What a decoder's size follows from, in the words of transformers' `config.json`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from clpd_bench.settings.base import Settings

Family = Literal["llama", "mistral", "qwen2", "qwen3", "gemma3_text"]


class Dimensions(Settings):
    """Of a decoder-only transformer with a gated MLP and root-mean-square norms."""

    model_type: Family
    """Says what else there is: biases of queries, keys and values (`qwen2`), norms of queries and keys (`qwen3`,
    `gemma3_text`), norms behind attention and MLP (`gemma3_text`)."""
    hidden_size: int = Field(ge=1)
    num_hidden_layers: int = Field(ge=1)
    num_attention_heads: int = Field(ge=1)
    num_key_value_heads: int | None = Field(default=None, ge=1)
    """None: as many as there are attention heads."""
    head_dim: int | None = Field(default=None, ge=1)
    """None: hidden_size / num_attention_heads."""
    intermediate_size: int = Field(ge=1)
    vocab_size: int = Field(ge=1)
    """Rows of the embedding, those that no token has included."""
    tie_word_embeddings: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    source: str = Field(min_length=1)
    """Where these numbers are from, for whoever checks them."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.head_dim is None and self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads {self.num_attention_heads}; "
                "give head_dim"
            )
        if self.num_attention_heads % self.key_value_heads:
            raise ValueError(
                f"num_attention_heads {self.num_attention_heads} is no multiple of num_key_value_heads "
                f"{self.key_value_heads}"
            )
        return self

    @property
    def key_value_heads(self) -> int:
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def head_size(self) -> int:
        return self.head_dim or self.hidden_size // self.num_attention_heads

    @property
    def queries(self) -> int:
        """Numbers in a token's queries of one layer."""
        return self.num_attention_heads * self.head_size

    @property
    def keys(self) -> int:
        """Numbers in a token's keys of one layer, and in its values."""
        return self.key_value_heads * self.head_size
