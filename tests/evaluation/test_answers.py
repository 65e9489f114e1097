"""What lm-eval takes for the answer under our filters, and which answers it holds to be equal."""

from __future__ import annotations

from typing import Any

import pytest
from lm_eval.api.metrics import exact_match_hf_evaluate
from lm_eval.filters import build_filter_ensemble

from clpd_bench.errors import UserError
from clpd_bench.evaluation.answers import IGNORED, filters, targets
from clpd_bench.settings.evaluation import Extract

MARKER = "\n#### "


def extracted(output: str, name: str, marker: str | None, extract: Extract | None) -> str:
    """Through lm-eval's own filters."""
    (found,) = [one for one in filters(marker, extract) if one["name"] == name]
    steps: list[Any] = [[f["function"], {k: v for k, v in f.items() if k != "function"}] for f in found["filter"]]
    responses: Any = [[output]]
    for build in build_filter_ensemble(name, steps).filters:
        responses = list(build().apply(responses, [{}]))
    return str(responses[0])


def equal(output: str, answer: str, extract: Extract) -> bool:
    score = exact_match_hf_evaluate([output], [answer], regexes_to_ignore=list(IGNORED[extract]))
    return bool(score["exact_match"])


@pytest.mark.parametrize(
    ("output", "number"),
    [
        ("16 - 3 = 13 eggs, so 13 * 2 = 26.\n#### 26", "26"),
        ("She has 25-7 apples", "7"),  # an operator, no sign
        ("It is (3+4)-5", "5"),
        ("The result is -5.", "-5"),
        ("It costs $1,080.50 in all.", "$1,080.50"),
        ("from 3,4", "4"),  # no group of three digits: two numbers
        ("no number at all", "[invalid]"),
        ("12 and then 3.0\n", "3.0"),
    ],
)
def test_the_last_number_is_extracted(output: str, number: str) -> None:
    assert extracted(output, "flexible", MARKER, "number") == number


@pytest.mark.parametrize(
    ("output", "letter"),
    [
        ("(B) bank", "B"),
        ("A person goes to the (C) library", "C"),  # in parentheses before bare
        ("The answer is D.", "D"),
        ("A teacher would say E", "E"),  # an article
        ("A", "A"),
        ("A\n", "A"),
        ("A. ignore", "A"),
        ("Because", "[invalid]"),
        ("(B) or (C)", "B"),
        ("first\n(E)", "E"),
    ],
)
def test_the_first_choice_letter_is_extracted(output: str, letter: str) -> None:
    assert extracted(output, "flexible", None, "letter") == letter


def test_the_last_line_with_text_is_extracted() -> None:
    assert extracted("so\nthe bank \n\n", "flexible", None, "line") == "the bank"


def test_the_strict_filter_wants_the_marker_whatever_the_flexible_one_takes() -> None:
    for extract in (None, "number"):
        assert extracted("16 - 3 = 13\n#### 13 eggs\nand 5", "strict", MARKER, extract) == "13 eggs"
        assert extracted("16 - 3 = 13", "strict", MARKER, extract) == "[invalid]"
    assert len(filters(MARKER, None)) == 1


@pytest.mark.parametrize(
    ("output", "answer", "same"),
    [
        ("1,080", "1080", True),
        ("$5", "5", True),
        ("51", "51.0", True),
        ("51.", "51.0", True),
        ("51.00.", "51", True),
        ("5.50", "5.5", True),
        ("$5.50.", "5.5", True),
        ("510", "51", False),
        ("5.05", "5.5", False),
        ("-5", "5", False),
        ("100", "1", False),
        ("0.5", "5", False),
    ],
)
def test_numbers_are_compared_by_value_not_by_writing(output: str, answer: str, same: bool) -> None:
    assert equal(output, answer, "number") == same


@pytest.mark.parametrize(("output", "answer", "same"), [("(B)", "B", True), ("B.", "(B)", True), ("B", "C", False)])
def test_letters_are_compared_without_their_parentheses(output: str, answer: str, same: bool) -> None:
    assert equal(output, answer, "letter") == same


def test_right_is_the_answer_or_what_is_extracted_of_it() -> None:
    assert targets("(B) bank", "letter") == ["(B) bank", "B"]
    assert targets("51.0", "number") == ["51.0"]
    assert targets("A", "letter") == ["A"]
    with pytest.raises(UserError, match="'bank' holds no letter"):
        targets("bank", "letter")
