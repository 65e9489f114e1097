"""When two texts are the same question: what is compared of them, and what is looked over.

Looked over: Unicode forms (NFKC), characters without width, letter case, spaces, quotes, dashes, punctuation. Kept:
letters, numbers (1,080 as 1080, 4.0 as 4), and the signs and parentheses of arithmetic, by which `3+4-2?` and `3-4+2?`
differ.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

_LIKE = {
    "\u2212": "-",
    "\u00d7": "*",
    "\u2217": "*",
    "\u00f7": "/",
    "\u2044": "/",
    "\u2215": "/",
    "\u3002": ".",
    "\u0964": ".",
}
"""Signs of arithmetic, and full stops, that people write for those of ASCII."""
BREAK = "."
"""A piece where a sentence or a line ends."""
SIGNS = "-+*/^%=<>()"
_AROUND = " \t\r\n\v\f()[]{}$"
"""What may stand between a sign and what it joins."""
_ENDS = set(".?!:;\n\r")
_BLANKS = "?_"
"""To be filled in: `3 + ? = 7`."""
_NOT_LETTERS = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\d.])\.\d+)|[-+*/^%=<>()]", re.ASCII
)
_PIECES = re.compile(r"#[\d.]+#|[.?!:;\n\r]|[-+*/^%=<>()]|(?:[a-z]|[^\x00-\x7f])+", re.ASCII)
_LETTERS = re.compile(r"(?:[a-z]|[^\x00-\x7f])+")


class _Characters(dict[int, str | None]):
    """What becomes of a character, worked out once: all but letters, marks, numbers and symbols is a space."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        category = unicodedata.category(character)
        out: str | None = character
        if category == "Cf":
            out = None
        elif category == "Pd":
            out = "-"
        elif code > 127:
            out = _LIKE.get(character, " " if category[0] in "PZC" or category in ("Sc", "Sk") else character)
        self[code] = out
        return out


_CHARACTERS = _Characters()


def pieces(text: str) -> list[str]:
    """Words, numbers (between `#`), signs and breaks of a text, in their order."""
    plain = text.lower() if text.isascii() else _plain(text)
    found: list[str] = _PIECES.findall(_NOT_LETTERS.sub(_written, plain.replace("**", "^")))
    return [BREAK if piece in _ENDS else piece for piece in found]


def sameness(text: str) -> str:
    """Equal for two texts that are the same question: the pieces without anything between them, so that `ice cream`,
    `ice-cream` and `icecream` are one. Of a text without any, all but its spaces."""
    return joined(pieces(text)) or "".join(text.split())


def joined(found: list[str]) -> str:
    return "".join(piece for piece in found if piece != BREAK)


def arithmetic(key: str) -> str:
    """A sameness without its letters: `3+4-2` of `please answer 3+4-2`; empty where no sign is left."""
    left = _LETTERS.sub("", key)
    return left if any(sign in left for sign in SIGNS) else ""


def alike(one: Sequence[object], other: Sequence[object]) -> int:
    """How many characters, pieces or tokens both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def hash_of(text: str) -> int:
    """64 bits of a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def share_of(text: str) -> float:
    """The same as a number in [0, 1), by which a split is made."""
    return hash_of(text) / 2**64


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_CHARACTERS)


def _written(found: re.Match[str]) -> str:
    if number := found["number"]:
        whole, point, decimals = number.replace(",", "").partition(".")
        decimals = decimals.rstrip("0")
        return f" #{whole or 0}{point}{decimals}# " if decimals else f" #{whole or 0}# "
    text, at = found.string, found.start()
    return f" {text[at]} " if (_stands_at_sign if text[at] in "()" else _is_sign)(text, at) else " "


def _is_sign(text: str, at: int) -> bool:
    """Whether it joins two operands, or stands in front of a number as its own sign; elsewhere it is punctuation."""
    if _joins(text, at):
        return True
    before = text[at - 1] if at else " "
    return text[at] == "-" and text[at + 1 : at + 2].isdigit() and before != "-" and not before.isalnum()


def _stands_at_sign(text: str, at: int) -> bool:
    """Whether a parenthesis has a sign outside: those around a whole calculation change nothing."""
    outside = _next(text, at, 1 if text[at] == ")" else -1)
    return 0 <= outside < len(text) and text[outside] in SIGNS and _joins(text, outside)


def _joins(text: str, sign: int) -> bool:
    left, right = _next(text, sign, -1), _next(text, sign, 1)
    if text[sign] == "=" and right < len(text) and text[right] in _BLANKS:
        return False
    return _is_operand(text, left) and _is_operand(text, right)


def _next(text: str, at: int, step: int) -> int:
    at += step
    while 0 <= at < len(text) and text[at] in _AROUND:
        at += step
    return at


def _is_operand(text: str, at: int) -> bool:
    """A digit, or a blank or a letter that is no part of a word."""
    if not 0 <= at < len(text):
        return False
    beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    alone = not any(unicodedata.category(character)[0] in "LM" for character in beside)
    return text[at].isdigit() or (alone and (text[at] in _BLANKS or text[at].isalpha()))
