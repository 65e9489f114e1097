"""Floating-point operations of models at work; a multiplication and an addition count as two.

The one definition: plans, manifests and reports count by it. Where a model's architecture is none of
`Dimensions.model_type`, only its parameters are known, and a pass is 2 FLOPs a parameter and token read: attention is
left out, and the head is taken to read every token.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clpd_bench.flops.parameters import parameters
from clpd_bench.flops.tokens import Read
from clpd_bench.settings.parts.dimensions import Dimensions


@dataclass(frozen=True)
class Term:
    """Attributes:
    what: what it is counted for.
    formula: with its numbers: `6 x 1,024 weights x 300 tokens`.
    value: FLOPs, or bytes.
    """

    what: str
    formula: str
    value: float


def term(what: str, *factors: tuple[float, str]) -> Term:
    """The product of factors, each with its name (or none)."""
    value: float = 1  # of whole numbers a whole number, and exact
    for factor, _ in factors:
        value *= factor
    return Term(what, " x ".join(f"{_number(factor)} {name}".rstrip() for factor, name in factors), value)


def total(terms: Iterable[Term]) -> float:
    return sum(term.value for term in terms)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or value >= 1000 else f"{value:,.4g}"


Size = Dimensions | int
"""Of a model: its dimensions, or else its number of parameters."""


def forward(size: Size, vocabulary: int, read: Read, what: str) -> list[Term]:
    """A pass without gradients: 2 FLOPs a weight and token (Kaplan et al. 2020, 2001.08361), 4 a head's number and
    pair of tokens for attention (Chowdhery et al. 2022, 2204.02311, appendix B), the head on response tokens alone.

    Attention counts all pairs, as those papers and torch's counter do; a kernel that leaves masked ones out
    computes about half of them.
    """
    return _passes(size, vocabulary, read, what, layers=1, head=1)


def training(size: Size, vocabulary: int, read: Read, what: str, recomputed: bool, head_is_frozen: bool) -> list[Term]:
    """Forward, and twice as much backward: for the gradient of what went in, and of the weights.

    Args:
        recomputed: whether layers go forward once more for the backward pass (activation checkpointing). torch stops
            before a layer's last product, which no gradient needs, unless there is a norm behind it.
        head_is_frozen: which has no gradient of its own.
    """
    passes = _passes(size, vocabulary, read, what, layers=4 if recomputed else 3, head=2 if head_is_frozen else 3)
    if not recomputed or isinstance(size, int) or size.model_type == "gemma3_text":
        return passes
    down = size.num_hidden_layers * size.intermediate_size * size.hidden_size
    spared = term(f"{what}: last products, not recomputed", (-2, ""), (down, "weights"), (read.tokens, "tokens"))
    return [*passes, spared]


def _passes(size: Size, vocabulary: int, read: Read, what: str, layers: int, head: int) -> list[Term]:
    tokens = (read.tokens, "tokens")
    if isinstance(size, int):
        return [term(f"{what}: all parameters", (2 * layers, ""), (size, "weights"), tokens)]
    p = parameters(size)
    pairs = (read.squares, "pairs of tokens")
    rows = (read.responses, "tokens")
    return [
        term(f"{what}: layers", (2 * layers, ""), (p.layers * p.matrices, "weights"), tokens),
        term(f"{what}: attention", (4 * layers, ""), (p.layers * size.queries, "(layers x heads x head size)"), pairs),
        term(f"{what}: head", (2 * head, ""), (vocabulary * size.hidden_size, "weights"), rows),
    ]
