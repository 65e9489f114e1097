"""What goes through a model: numbers of tokens, as the code pads and batches them."""

from __future__ import annotations

from dataclasses import dataclass


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
