"""Bytes of tensors on a device at a job's peak, and those of each token that a decoder reads.

Layers are those of transformers. Attention is taken to be sdpa or flash, which keep no matrix of pairs of tokens;
`attention: eager` keeps more. What the device's own library takes comes on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clpd_bench.flops.parameters import has_head_norms, parameters
from clpd_bench.flops.passes import Term, term, total
from clpd_bench.flops.sizes import FLOAT, rows_of_chunk
from clpd_bench.flops.tokens import Largest
from clpd_bench.settings.parts.dimensions import Dimensions


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


@dataclass(frozen=True)
class Peak:
    """Attributes:
    at: when it is reached.
    terms: what is there then, in bytes.
    """

    at: str
    terms: tuple[Term, ...]

    @property
    def bytes(self) -> int:
        return round(total(self.terms))


@dataclass(frozen=True)
class Held:
    """A model that a job holds: its dimensions, the bytes of a weight."""

    dimensions: Dimensions
    width: int


def largest_of(peaks: Sequence[Peak]) -> Peak:
    return max(peaks, key=lambda peak: peak.bytes)


def weights(held: Held, what: str) -> Term:
    return term(what, (parameters(held.dimensions).total, "weights"), (held.width, "bytes"))


def chunk_rows(vocabulary: int, responses: int) -> int:
    """Response tokens whose logits are there at a time on a GPU."""
    return min(responses, rows_of_chunk(vocabulary, "cuda"))


def reading(held: Held, vocabulary: int, largest: Largest, blocks: int) -> Peak:
    """Of a pass without gradients: scores, or targets.

    Args:
        blocks: of float32 logits [rows of a chunk, vocabulary] that are there at a time.
    """
    d, width = held.dimensions, held.width
    model = weights(held, "weights")
    layer = term("a layer's working set", (largest.tokens, "tokens"), (working_set(d, width), "bytes"))
    rows = chunk_rows(vocabulary, largest.responses)
    hidden = term("hidden states", (largest.responses, "tokens"), (d.hidden_size * width, "bytes"))
    return largest_of(
        [
            Peak("in a layer", (model, layer)),
            Peak("at the logits", (model, hidden, logits_of_chunk(rows, vocabulary, blocks))),
        ]
    )


def generating(held: Held, batch: int, prompt: int, new: int) -> Peak:
    """Of greedy generation, at most: the longest cache beside the pass over the prompts, when it is shorter."""
    d, width = held.dimensions, held.width
    kept = term("keys and values", (batch * (prompt + new), "tokens"), (cache(d, width), "bytes"))
    layer = term("a layer's working set", (batch * prompt, "tokens"), (working_set(d, width), "bytes"))
    logits = term("logits", (batch, "rows"), (d.vocab_size, "tokens"), (width + FLOAT, "bytes"))
    return Peak("while it generates", (weights(held, "weights"), kept, layer, logits))


def weighing(held: Held, batch: int, longest: int) -> Peak:
    """Of choices' likelihoods: lm-eval takes logits at every place, and their log-softmax beside them."""
    d = held.dimensions
    logits = term("logits", (batch * longest, "tokens"), (d.vocab_size, "tokens"), (2 * held.width, "bytes"))
    return Peak("at the logits", (weights(held, "weights"), logits))


def logits_of_chunk(rows: int, vocabulary: int, blocks: int) -> Term:
    return term(
        "logits of a chunk", (rows, "response tokens"), (vocabulary, "tokens"), (FLOAT, "bytes"), (blocks, "blocks")
    )


def score_blocks(width: int) -> int:
    """Of logits in float32, while scores are taken of them; those of bfloat16 lie beside them at first."""
    return 2 if width == FLOAT else 3


def target_blocks(temperatures: Iterable[float]) -> int:
    """The same, while targets are taken."""
    return 2 if set(temperatures) == {1.0} else 3
