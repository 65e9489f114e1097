"""Bytes that a decoder needs for each token it reads, as transformers computes these families.

Attention is taken to be sdpa or flash, which keep no matrix of pairs of tokens; `attention: eager` keeps more.
"""

from __future__ import annotations

from clpd_bench.plan.cost.parameters import has_head_norms
from clpd_bench.settings.dimensions import Dimensions

FLOAT = 4


def saved_of_layer(d: Dimensions, width: int) -> int:
    """What a layer remembers for its backward pass.

    Args:
        width: bytes of a weight, and of what goes from layer to layer.
    """
    # Of a norm: what went in, in float32, what came of it before its weights, and what goes on.
    gemma = d.model_type == "gemma3_text"
    norm = 2 * FLOAT if gemma else FLOAT + width
    norms = 2 * d.hidden_size * (norm + width) + (2 * d.hidden_size * norm if gemma else 0)
    norms += (d.queries + d.keys) * norm if has_head_norms(d) else 0
    # Queries, keys, values and what attention makes of them, with a normaliser for each head; gate, its activation,
    # what it multiplies, and the product.
    attention = (2 * d.queries + 2 * d.keys) * width + d.num_attention_heads * FLOAT
    return norms + attention + 4 * d.intermediate_size * width


def saved_at_border(d: Dimensions, width: int) -> int:
    """What lies between two layers: all that activation checkpointing keeps of one."""
    return d.hidden_size * width


def saved_of_last_norm(d: Dimensions, width: int) -> int:
    return d.hidden_size * (FLOAT + width)


def backward_of_layer(d: Dimensions, width: int) -> int:
    """Gradients that are there at a time beside what is remembered: of the gate, of what it multiplies, and of the
    residual stream before and after."""
    return (2 * d.intermediate_size + 2 * d.hidden_size) * width


def working_set(d: Dimensions, width: int) -> int:
    """What a layer holds at a time in a pass without gradients: the residual stream with its norm and the embeddings,
    and gate, factor and product of the MLP, or queries, keys and values while they are rotated; or a norm's float32."""
    stream = d.hidden_size * width
    mlp = 4 * stream + 3 * d.intermediate_size * width
    attention = 3 * stream + (4 * d.queries + 2 * d.keys) * width
    return max(mlp, attention, 2 * stream + 2 * d.hidden_size * FLOAT)


def cache(d: Dimensions, width: int) -> int:
    """Keys and values of all layers."""
    return 2 * d.num_hidden_layers * d.keys * width
