"""Examples of a split as lengths: those of a made corpus, or so many as are expected, all of the mean length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clpd_bench.corpus.grouping import by_length
from clpd_bench.plan.cost.read import Largest, Read

Lengths = NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """N examples.

    Attributes:
        prompts, responses: shape [N], tokens; of expected ones the means, which need not be whole.
        estimated: whether they are expected, and not counted.
        longest: tokens of the longest, prompt and response.
        ids: shape [N], where the corpus is made.
        choices: shape [N], of each example, where it has some.
    """

    prompts: NDArray[np.float64]
    responses: NDArray[np.float64]
    longest: int
    estimated: bool = False
    ids: NDArray[np.str_] = field(default_factory=lambda: np.array([], dtype=np.str_))
    choices: NDArray[np.int64] | None = None

    @property
    def tokens(self) -> NDArray[np.float64]:
        return self.prompts + self.responses

    def __len__(self) -> int:
        return len(self.prompts)

    def first(self, examples: int) -> Texts:
        mine = slice(examples)
        return Texts(self.prompts[mine], self.responses[mine], self.longest, self.estimated, self.ids[mine])


def passes(texts: Texts, batches: Iterable[NDArray[np.int64]], padded_tokens: int) -> tuple[Read, Largest]:
    """What goes through a model in micro-batches of at most so many padded tokens.

    Args:
        batches: positions of examples; each of them is cut into micro-batches of its own.
    """
    if texts.estimated:
        return _expected(texts, batches, padded_tokens)
    lengths, responses = texts.tokens.astype(np.int64), texts.responses
    shapes, several = [], False
    for examples in batches:
        cut = [examples[places] for places in by_length(lengths[examples], padded_tokens)]
        several |= len(cut) > 1
        shapes += [(len(rows), int(lengths[rows].max()) - 1, float(responses[rows].sum())) for rows in cut]
    rows, width, head = np.array(shapes, dtype=np.float64).T
    read = Read(float(rows @ width), float(rows @ width**2), float(head.sum()))
    return read, Largest(int((rows * width).max()), int(head.max()), several)


def _expected(texts: Texts, batches: Iterable[NDArray[np.int64]], padded_tokens: int) -> tuple[Read, Largest]:
    """All rows are of one length, so nothing is padded; the longest example may be a micro-batch alone."""
    sizes = [len(examples) for examples in batches]
    length, response = float(texts.tokens[0]), float(texts.responses[0])
    shown, width = sum(sizes), length - 1
    at_once = max(sizes) * length
    most = min(max(padded_tokens, texts.longest), max(at_once, texts.longest))
    read = Read(shown * width, shown * width**2, shown * response)
    return read, Largest(round(most), round(most * response / length), at_once > padded_tokens)


def whole(texts: Texts) -> list[NDArray[np.int64]]:
    """All examples as one batch, for `passes`."""
    return [np.arange(len(texts))]
