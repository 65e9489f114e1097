"""Whether what is tested stands in what models have read, of corpus folders."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clpd_bench.corpus.reader import read_split, read_summary
from clpd_bench.corpus.shared_questions import Texts

TRAINED = ("train", "validation")
"""What a trained model has read: its examples, and those by which it was stopped, chosen or tuned."""


@dataclass(frozen=True)
class Leak:
    """Tested questions that a corpus's models have read.

    Attributes:
        places: in which splits, or `worked examples`.
        tested, read: the first of them, as it stands on either side.
    """

    count: int
    of: int
    places: list[str]
    tested: str
    read: str

    @property
    def first(self) -> str:
        beside = "" if self.read == self.tested else f" as {_short(self.read)}"
        return f"first {_short(self.tested)}{beside} ({' and '.join(self.places)})"


def leak(tested: Texts, folder: Path, splits: Sequence[str] = TRAINED) -> Leak | None:
    """Those of the tested questions that stand in the splits of a corpus or in front of its prompts; None without."""
    found: dict[int, str] = {}
    places = []
    for place, texts in [*((split, texts_of(folder, split)) for split in splits), ("worked examples", _front(folder))]:
        here = tested.found_in(texts)
        if here:
            places.append(place)
        found = {i: texts.questions[j] for i, j in here.items()} | found
    if not found:
        return None
    first = min(found)
    return Leak(len(found), len(tested.questions), places, tested.questions[first], found[first])


@functools.lru_cache(maxsize=16)
def texts_of(folder: Path, split: str) -> Texts:
    """Questions of a split, with the responses behind them."""
    read = read_split(folder, split)
    return Texts(read.texts("question"), read.texts("response"))


@functools.lru_cache(maxsize=16)
def questions_of(folder: Path, split: str) -> Texts:
    return Texts(read_split(folder, split).texts("question"))


@functools.lru_cache(maxsize=16)
def _front(folder: Path) -> Texts:
    """What stands in front of a corpus's prompts: its worked examples, and what its template says."""
    split = read_split(folder, "train")
    template = split.texts("prompt")[0].replace(split.texts("question")[0], "")
    return Texts([*read_summary(folder).get("worked_examples", []), template])


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
