"""Two writings of a question are the same, two calculations are not."""

from __future__ import annotations

import itertools
import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clpd_bench.corpus.chained_sums import chained_sum
from clpd_bench.corpus.sameness import sameness

WORDS = ["Janet", "ducks", "lay", "16", "eggs", "ICE", "straße", "1,080", "naïve", "0.25", "東京", "कितने", "dollars"]
INVISIBLE = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e"]
SPACES = [" ", "  ", "\t", "\n", "\u00a0", "\u3000", "\r\n"]
MARKS = [
    ",",
    ".",
    "?",
    "!",
    ":",
    ";",
    "'",
    '"',
    "\u2019",
    "\u201c",
    "\u00ab",
    "\u2026",
    "\u3002",
    "-",
    "\u2014",
    "*",
    "/",
    "&",
    "#",
]
QUESTIONS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)


@given(QUESTIONS, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_case_spaces_quotes_punctuation_and_what_has_no_width_are_looked_over(
    words: list[str], chance: random.Random
) -> None:
    written = ""
    for word in words:
        number = word[0].isdigit()
        form = chance.choice(["NFC", "NFD", "NFKC", "NFKD"])
        word = unicodedata.normalize(form, chance.choice([word, word.upper(), word.lower(), word.capitalize()]))
        if not number:  # `.5` and `-5` are other numbers than 5
            word = chance.choice(["", *MARKS]) + chance.choice(["", *INVISIBLE]).join([word[:1], word[1:]])
        written += word + chance.choice(["", *MARKS]) + chance.choice(SPACES)
    if not any(a[0].isdigit() and b[0].isdigit() for a, b in itertools.pairwise(words)):  # `3 - 4` is a calculation
        assert sameness(written) == sameness(" ".join(words)), written


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ducks lay 1,080 eggs.", "ducks lay 1080 eggs"),
        ("How many ice-creams did she buy?", "How many ice creams did she buy ?"),
        ("Janet\u2019s ducks", "Janet's ducks"),
        ("Ｔｏｍ has ５ apples", "Tom has 5 apples"),
        ("It costs $ 4.0", "It costs $4"),
        ("3 + 4 \u2212 2?", "3+4-2"),
        ("(3 \u00d7 4) \u00f7 2 = ?", "(3*4)/2"),
        ("What is (3+4)?", "What is 3 + 4"),
        ("ducks lay 16- ?Janet eats", "Ducks lay 16. Janet eats"),
        ("16 -\u0915\u093f\u0924\u0928\u0947", "16 \u0915\u093f\u0924\u0928\u0947"),
        ("- 3 apples\n- 4 pears", "3 apples, 4 pears"),
    ],
)
def test_two_writings_are_one_question(one: str, other: str) -> None:
    assert sameness(one) == sameness(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3+4-2?", "3-4+2?"),
        ("3 4", "34"),
        ("2 * (3 + 4)", "2 * 3 + 4"),
        ("(3-4)-2", "3-(4-2)"),
        ("3 + ? = 7", "3 - ? = 7"),
        ("x + 3 = 7", "x - 3 = 7"),
        ("-3 + 4", "3 + 4"),
        ("It weighs 3.5 kg", "It weighs 35 kg"),
        ("1/2 of it", "1 2 of it"),
        ("17<42?", "17>42?"),
        ("कि", "की"),
        ("?", "!"),
    ],
)
def test_two_questions_are_not_one(one: str, other: str) -> None:
    assert sameness(one) != sameness(other)


def test_no_two_chained_sums_are_one_question() -> None:
    signed = list(itertools.product("+-", range(4)))
    sums = [
        chained_sum(start, list(terms), 4).question
        for start in range(4)
        for length in (1, 2, 3)
        for terms in itertools.product(signed, repeat=length)
    ]
    assert len({sameness(question) for question in sums}) == len(set(sums)) == 4 * (8 + 8**2 + 8**3)
