"""What goes through a model, in tokens, and the floating-point operations that it takes.

A multiplication and an addition count as two.
"""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.flops.parameters import parameters
from clpd_bench.flops.terms import Term, term
from clpd_bench.settings.parts.dimensions import Dimensions


@dataclass(frozen=True)
class Read:
    """Batches of B rows of width W, with R response tokens in each.

    Attributes:
        tokens: the sum of B W, padding included, each row without its last token, which predicts nothing.
        squares: the sum of B W^2.
        responses: the sum of R: rows of the head.
    """

    tokens: float = 0
    squares: float = 0
    responses: float = 0

    def __add__(self, other: Read) -> Read:
        return Read(self.tokens + other.tokens, self.squares + other.squares, self.responses + other.responses)

    def __mul__(self, times: float) -> Read:
        return Read(times * self.tokens, times * self.squares, times * self.responses)


@dataclass(frozen=True)
class Largest:
    """Of the batches of a job, what decides its peak memory.

    Attributes:
        tokens: the most, B W.
        responses: the most, R.
        several: whether a step has more than one, so that gradients lie beside activations.
    """

    tokens: int
    responses: int
    several: bool = False


def forward(d: Dimensions, vocabulary: int, read: Read, what: str) -> list[Term]:
    """A pass without gradients: 2 FLOPs a weight and token (Kaplan et al. 2020, 2001.08361), 4 a head's number and
    pair of tokens for attention (Chowdhery et al. 2022, 2204.02311, appendix B), the head on response tokens alone.

    Attention counts all pairs, as those papers and torch's counter do; a kernel that leaves masked ones out
    computes about half of them.
    """
    return _passes(d, vocabulary, read, what, layers=1, head=1)


def training(
    d: Dimensions, vocabulary: int, read: Read, what: str, recomputed: bool, head_is_frozen: bool
) -> list[Term]:
    """Forward, and twice as much backward: for the gradient of what went in, and of the weights.

    Args:
        recomputed: whether layers go forward once more for the backward pass (activation checkpointing). torch stops
            before a layer's last product, which no gradient needs, unless there is a norm behind it.
        head_is_frozen: which has no gradient of its own.
    """
    passes = _passes(d, vocabulary, read, what, layers=4 if recomputed else 3, head=2 if head_is_frozen else 3)
    if not recomputed or d.model_type == "gemma3_text":
        return passes
    down = d.num_hidden_layers * d.intermediate_size * d.hidden_size
    spared = term(f"{what}: last products, not recomputed", (-2, ""), (down, "weights"), (read.tokens, "tokens"))
    return [*passes, spared]


def _passes(d: Dimensions, vocabulary: int, read: Read, what: str, layers: int, head: int) -> list[Term]:
    p = parameters(d)
    tokens = (read.tokens, "tokens")
    pairs = (read.squares, "pairs of tokens")
    rows = (read.responses, "tokens")
    return [
        term(f"{what}: layers", (2 * layers, ""), (p.layers * p.matrices, "weights"), tokens),
        term(f"{what}: attention", (4 * layers, ""), (p.layers * d.queries, "(layers x heads x head size)"), pairs),
        term(f"{what}: head", (2 * head, ""), (vocabulary * d.hidden_size, "weights"), rows),
    ]
