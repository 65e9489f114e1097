"""A model's dimensions, by its configuration, and its parameters by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from pydantic import ValidationError

from clpd_bench.settings.parts.dimensions import Dimensions, Family


@dataclass(frozen=True)
class Parameters:
    """Attributes:
    layers: num_hidden_layers.
    matrices: of one layer, weights that multiply each token.
    vectors: of one layer, biases and norms.
    embedding: input embeddings.
    head: the output head's own; 0 where it is tied to the embeddings.
    norm: the last one.
    """

    layers: int
    matrices: int
    vectors: int
    embedding: int
    head: int
    norm: int

    @property
    def total(self) -> int:
        return self.layers * (self.matrices + self.vectors) + self.embedding + self.head + self.norm

    @property
    def without_embedding(self) -> int:
        """Those that are trained where the input embeddings, and a head tied to them, are frozen."""
        return self.total - self.embedding


def parameters(d: Dimensions) -> Parameters:
    """As transformers builds the families of `Dimensions.model_type`."""
    hidden, inner, queries, keys = d.hidden_size, d.intermediate_size, d.queries, d.keys
    matrices = hidden * (queries + 2 * keys) + queries * hidden + 3 * hidden * inner
    biases = 0
    if d.model_type == "qwen2" or d.attention_bias:
        biases += queries + 2 * keys
    if d.model_type != "qwen2" and d.attention_bias:
        biases += hidden
    if d.mlp_bias:
        biases += 2 * inner + hidden
    norms = hidden * (4 if d.model_type == "gemma3_text" else 2)
    norms += 2 * d.head_size if has_head_norms(d) else 0
    embedding = d.vocab_size * hidden
    return Parameters(
        d.num_hidden_layers, matrices, biases + norms, embedding, 0 if d.tie_word_embeddings else embedding, hidden
    )


def has_head_norms(d: Dimensions) -> bool:
    """Whether queries and keys have norms of their own, of a head's size."""
    return d.model_type in ("qwen3", "gemma3_text")


DEFAULTS: dict[Family, dict[str, Any]] = {
    "llama": {},
    "mistral": {"num_key_value_heads": 8},
    "qwen2": {"num_key_value_heads": 32},
    "qwen3": {"num_key_value_heads": 32, "head_dim": 128},
    "gemma3_text": {"num_key_value_heads": 4, "head_dim": 256, "tie_word_embeddings": True},
}
"""What transformers takes for keys that a configuration leaves out, where that differs from `Dimensions`."""
NAMES = {*Dimensions.model_fields} - {"source"}


def dimensions_of_config(config: Mapping[str, Any], source: str) -> Dimensions | None:
    """None where it is of a family that is not known here.

    Args:
        source: what the configuration is called.
    """
    if config.get("model_type") not in get_args(Family):
        return None
    family = cast(Family, config["model_type"])
    given = {name: config[name] for name in NAMES if config.get(name) is not None}
    try:
        return Dimensions(**{**DEFAULTS[family], **given, "source": source})
    except ValidationError:
        return None
