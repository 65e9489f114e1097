"""Rows of the published benchmarks, in the original form and in the hub's."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from clpd_bench.corpus.example import Example
from clpd_bench.corpus.rows import Row, plain
from clpd_bench.corpus.sameness import sameness, share_of
from clpd_bench.settings.parts.sources import Gsm8k

CALCULATOR = re.compile(r"<<[^<>]*>>")
LABELS = ("ABCDEFGHIJ", "abcdefghij", "123456789")
"""Of choices, by which an output can decide for one."""
TEST_SHARE = (3, 10)
"""Of SVAMP, which comes without a training split."""


def gsm8k(row: Row, settings: Gsm8k) -> Example:
    """`answer` is the solution and, behind `####`, the result."""
    solution, mark, result = row.text("answer").rpartition("####")
    if not mark or not result.strip():
        raise row.refused("field 'answer' holds no result behind '####'", found=(mark + result)[-60:])
    rationale = solution if settings.calculator else CALCULATOR.sub("", solution)
    answer = result.strip().replace(",", "")
    return Example(row.text("question"), rationale.strip(), answer, file=str(row.file), line=row.line)


def svamp(row: Row) -> Example:
    """The question is `Body` and `Question`; a body without its full stop gets none, as it was published.

    The rationale is `Equation` as people write it, `( ( 692.0 + 692.0 ) - 458.0 )` as
    `(692 + 692) - 458 = 926`; one equation of the published 1,000 does not give its answer, and is left so.
    """
    answer = _plain(row, "Answer", row.text("Answer"))
    equation = _readable(row, row.text("Equation"))
    question = f"{row.text('Body')} {row.text('Question')}"
    return Example(question, f"{equation} = {answer}", answer, file=str(row.file), line=row.line)


def svamp_split(examples: list[Example]) -> tuple[list[Example], list[Example]]:
    """(training, test): 3 in 10 distinct questions, those with the highest hashes, are test questions."""
    hashes = [share_of(sameness(e.question)) for e in examples]
    distinct = sorted(set(hashes))
    of_test = set(distinct[len(distinct) - len(distinct) * TEST_SHARE[0] // TEST_SHARE[1] :])
    parts = list(zip(examples, hashes, strict=True))
    return [e for e, one in parts if one not in of_test], [e for e, one in parts if one in of_test]


def commonsense_qa(row: Row) -> Example:
    """The question holds the choices, one a line, `(A) bank`; the answer is the right one of them, so written."""
    stem, choices = _choices(row)
    key = row.text("answerKey")
    listed = [label for label, _ in choices]
    if not any({*listed} <= {*family} for family in LABELS) or len({*listed}) < len(listed):
        raise row.refused(
            f"{len(choices)} choices want as many labels of A to J, a to j or 1 to 9, each once", found=" ".join(listed)
        )
    right = [i for i, (label, _) in enumerate(choices) if label == key]
    if len(right) != 1:
        raise row.refused(
            "field 'answerKey' wants the letter of one choice", found=key, allowed=[c[0] for c in choices]
        )
    lines = tuple(f"({label}) {text}" for label, text in choices)
    return Example(
        "\n".join([stem, *lines]),
        "",
        lines[right[0]],
        file=str(row.file),
        line=row.line,
        choices=lines,
        label=right[0],
    )


def _choices(row: Row) -> tuple[str, list[tuple[str, str]]]:
    """Stem and (letter, text) of each choice: the original has them in one object, the hub in two lists."""
    if isinstance(row.field("question"), dict):
        listed = [Row(choice, row.file, row.line) for choice in _list(row, "question.choices")]
        return row.text("question.stem"), [(choice.text("label"), choice.text("text")) for choice in listed]
    labels, texts = _list(row, "choices.label"), _list(row, "choices.text")
    if len(labels) != len(texts):
        raise row.refused(f"field 'choices' has {len(labels)} letters and {len(texts)} texts")
    pairs = [Row({"label": label, "text": text}, row.file, row.line) for label, text in zip(labels, texts, strict=True)]
    return row.text("question"), [(pair.text("label"), pair.text("text")) for pair in pairs]


def _list(row: Row, path: str) -> list[Any]:
    value = row.field(path)
    if not isinstance(value, list) or not value:
        raise row.refused(f"field {path!r} wants a list that is not empty", found=value)
    return value


def _plain(row: Row, field: str, number: str) -> str:
    """`51.0` as `51`."""
    try:
        value = Decimal(number.replace(",", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise row.refused(f"field {field!r} wants a number", found=number)
    return plain(value)


def _readable(row: Row, equation: str) -> str:
    words = [word if word in "()+-*/" else _plain(row, "Equation", word) for word in equation.split()]
    if _is_enclosed(words):
        words = words[1:-1]
    return " ".join(words).replace("( ", "(").replace(" )", ")")


def _is_enclosed(words: list[str]) -> bool:
    """Whether the first parenthesis is closed by the last word."""
    depth = 0
    for i, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return i == len(words) - 1 and word == ")"
    return False
