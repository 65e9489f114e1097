"""Which questions of one list stand in the texts of another."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

from clpd_bench.corpus.sameness import BREAK, SIGNS, alike, arithmetic, joined, pieces, sameness

LONG, LONG_WITH_NUMBERS = 24, 16
"""How many characters a question's sameness wants so that it is looked for inside longer texts (about six words), also
with two numbers in it. Shorter ones stand in texts that have nothing to do with them."""


@dataclass(frozen=True)
class _Text:
    """Attributes:
    key: the sameness of its question.
    whole: that of all of it.
    starts: where its pieces begin in `whole`.
    ends: where a sentence, a line or the question ends in it, and its own beginning and end.
    """

    key: str
    whole: str
    starts: array[int]
    ends: array[int]


class Texts:
    """Texts made ready for comparison.

    Attributes:
        questions: as they were given.
    """

    def __init__(self, questions: Sequence[str], behind: Sequence[str] = ()) -> None:
        """
        Args:
            behind: of each question what follows it in the same text (a response); none without.
        """
        self.questions = questions
        self._texts: list[_Text] = []
        self._keys: dict[str, int] = {}
        template = _Template()
        for i, (question, more) in enumerate(zip(questions, behind or repeat("", len(questions)), strict=True)):
            found = pieces(question)
            template.see([piece for piece in found if piece != BREAK])
            self._texts.append(_text(joined(found) or sameness(question), [*found, BREAK, *pieces(more)]))
            self._keys.setdefault(self._texts[i].key, i)
        self._calculations = {key: i for key, i in self._keys.items() if key and arithmetic(key) == key}
        self._bare = {bare: i for key, i in reversed(self._keys.items()) if (bare := template.without(key))}
        self._long = sorted(self._bare)
        self._openings = {key[:LONG_WITH_NUMBERS] for key in self._long}
        self._shorter = _longest_that_begin(self._long)

    def found_in(self, other: Texts) -> dict[int, int]:
        """{number of a question of this list: number of the first text of the other that is the same question, holds
        it, or is a question that it holds}. A calculation without words is the same with any words around it."""
        out: dict[int, int] = {}
        for i, text in enumerate(self._texts):
            held = [*other._standing_in(text)]
            if held:
                out[i] = min(held)
        holding: dict[str, int] = {}
        for j, text in enumerate(other._texts):
            for i in self._standing_in(text):
                holding.setdefault(self._texts[i].key, j)
        for i, text in enumerate(self._texts):
            if text.key in holding:
                out[i] = min(holding[text.key], out.get(i, holding[text.key]))
        return out

    def _standing_in(self, text: _Text) -> Iterator[int]:
        """Numbers of the questions here that a text is or holds, of several that are the same the first."""
        if text.key in self._keys:
            yield self._keys[text.key]
        if self._calculations and (calculation := arithmetic(text.key)) in self._calculations:
            yield self._calculations[calculation]
        for start in text.starts if self._long else ():
            if text.whole[start : start + LONG_WITH_NUMBERS] not in self._openings:
                continue
            rest = text.whole[start:]
            at = bisect_right(self._long, rest) - 1
            while at >= 0:
                question = self._long[at]
                if rest.startswith(question) and self._stands(question, text, start):
                    yield self._bare[question]
                at = self._shorter[at]

    def _stands(self, question: str, text: _Text, start: int) -> bool:
        """Whether a question that was found at a place stands there by itself: `Reverse Anna Bob` is another than
        `Reverse Anna Bob Carl`, and `4-2` than `3+4-2`."""
        if start + len(question) not in text.ends:
            return False
        if start in text.ends:
            return True
        whole = question in self._keys  # words in front of all of it change nothing; a template's place is a break
        before = text.whole[start - 1]
        return whole and before not in SIGNS and not (before == question[0] == "#")


def _text(key: str, found: list[str]) -> _Text:
    starts, ends, at = array("L"), array("L", [0]), 0
    for piece in found:
        if piece == BREAK:
            ends.append(at)
        else:
            starts.append(at)
            at += len(piece)
    ends.append(at)
    return _Text(key, joined(found), starts, ends)


class _Template:
    """What all questions of a list begin and end with ("Question: ", "Answer:"): no part of any of them."""

    def __init__(self) -> None:
        self._front: list[str] | None = None
        self._back: list[str] = []

    def see(self, found: list[str]) -> None:
        backwards = found[::-1]
        if self._front is None:
            self._front, self._back = found, backwards
        self._front = self._front[: alike(self._front, found)]
        self._back = self._back[: alike(self._back, backwards)]

    def without(self, key: str) -> str | None:
        """The question itself where it is long, else all of it; None where that is short, too."""
        front, back = (len("".join(part)) for part in (self._front or [], self._back))
        return next((one for one in (key[front : len(key) - back], key) if _is_long(one)), None)


def _is_long(key: str) -> bool:
    return len(key) >= LONG or (len(key) >= LONG_WITH_NUMBERS and key.count("#") >= 4)


def _longest_that_begin(keys: list[str]) -> list[int]:
    """Of each of the sorted keys the place of the longest other one that it begins with, -1 without: all that a text
    begins with are the one that it would be sorted behind, or in that one's chain."""
    out: list[int] = []
    for i, key in enumerate(keys):
        at = i - 1
        while at >= 0 and not key.startswith(keys[at]):
            at = out[at]
        out.append(at)
    return out
