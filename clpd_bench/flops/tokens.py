"""What goes through a model: numbers of tokens, as the code pads and batches them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clpd_bench.flops.sizes import micro_batches_of

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Read:
    """Batches of B rows of width W, with R response tokens in each. Whole numbers where they are counted, so that sums
    over them are exact.

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


def read_in_batches(
    tokens: Numbers, responses: Numbers, batches: Iterable[Numbers], padded_tokens: int, boundaries: Iterable[int] = ()
) -> tuple[Read, Largest]:
    """What goes through a model that reads each of `batches` in micro-batches.

    Args:
        tokens, responses: shape [N], of each example, prompt and response together and response alone.
        batches: places of examples.
        padded_tokens, boundaries: see `micro_batches_of`.
    """
    limits, shapes, several = tuple(boundaries), [], False
    for examples in batches:
        cut = [examples[places] for places in micro_batches_of(tokens[examples], padded_tokens, limits)]
        several |= len(cut) > 1
        shapes += [(len(rows), int(tokens[rows].max()) - 1, int(responses[rows].sum())) for rows in cut]
    rows, width, head = np.array(shapes, dtype=np.int64).reshape(-1, 3).T
    read = Read(int(rows @ width), int(rows @ width**2), int(head.sum()))
    return read, Largest(int((rows * width).max(initial=0)), int(head.max(initial=0)), several)


def read_by_teachers(
    tokens: Numbers,
    responses: Numbers,
    batches: Iterable[tuple[Numbers, Numbers]],
    padded_tokens: int,
    boundaries: Iterable[int] = (),
) -> dict[int, Read]:
    """What goes through each live teacher, by its number from 1: of each of the student's micro-batches the rows that
    it supervises, as wide as the student reads them.

    Args:
        batches: places of examples, and the teacher of each; 0 for none.
    """
    limits, read = tuple(boundaries), dict[int, Read]()
    for examples, teachers in batches:
        for places in micro_batches_of(tokens[examples], padded_tokens, limits):
            width = int(tokens[examples[places]].max()) - 1
            for m in np.unique(teachers[places]).tolist():
                mine = examples[places[teachers[places] == m]]
                more = Read(len(mine) * width, len(mine) * width**2, int(responses[mine].sum()))
                read[m] = read.get(m, Read()) + more
    return {m: read[m] for m in sorted(read) if m > 0}


def read_whole(lengths: NDArray[np.int64] | NDArray[np.float64]) -> Read:
    """Rows one by one, their last tokens included, without the head."""
    return Read(lengths.sum().item(), (lengths**2).sum().item())


def read_as_prompts(rows: int, width: float) -> Read:
    """One batch of prompts, padded to a width; the head reads the last place of each alone."""
    return Read(rows * width, rows * width**2, rows)


def read_while_generating(rows: int, width: float, new: float) -> Read:
    """What a batch of prompts reads until its longest output has `new` tokens, keys and values of all earlier ones
    being kept. The first token comes of the prompt, and the last is not read."""
    steps = new - 1
    pairs = rows * steps * (2 * width + steps + 1)
    return Read(rows * steps, pairs // 2 if isinstance(pairs, int) else pairs / 2, rows * steps)


def read_at_every_place(rows: int, width: float) -> Read:
    """One batch whose logits are taken at all places."""
    return Read(rows * width, rows * width**2, rows * width)
