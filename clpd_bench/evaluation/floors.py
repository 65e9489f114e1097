"""What rules score that read no meaning: a model near such a floor has shown nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

from clpd_bench.corpus.reader import Split
from clpd_bench.errors import UserError
from clpd_bench.settings.evaluation import Floor

_NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")


def floor_scores(floor: Floor, train: Split, test: Split) -> dict[str, float]:
    """{item: score} of a rule on the test split; `uniform` has what it scores on average.

    Numbers are compared by value.

    Raises:
        UserError: `uniform` of a corpus without choices.
    """
    ids = test.ids.tolist()
    if floor == "uniform":
        if "choices" not in test.table.column_names:
            raise UserError("the corpus carries no choices to take one of", key="floor", found=floor)
        return {item: 1 / len(choices) for item, choices in zip(ids, test.texts("choices"), strict=True)}
    answers = test.texts("answer")
    if floor == "most_common_answer":
        counts = Counter(train.texts("answer"))
        common = min(counts, key=lambda answer: (-counts[answer], answer))
        return {item: float(answer == common) for item, answer in zip(ids, answers, strict=True)}
    rule = RULES[floor]
    return {
        item: float(bool(numbers := _numbers(question)) and rule(numbers) == _value(answer))
        for item, question, answer in zip(ids, test.texts("question"), answers, strict=True)
    }


def _larger_minus_smaller(numbers: Sequence[Decimal]) -> Decimal | None:
    return abs(numbers[0] - numbers[1]) if len(numbers) > 1 else None


RULES: dict[Floor, Callable[[Sequence[Decimal]], Decimal | None]] = {
    "larger_minus_smaller": _larger_minus_smaller,
    "last_number": lambda numbers: numbers[-1],
}


def _numbers(text: str) -> list[Decimal]:
    return [Decimal(found.replace(",", "")) for found in _NUMBER.findall(text)]


def _value(answer: str) -> Decimal:
    """NaN, which equals nothing, where it is no number."""
    found = re.fullmatch(r"(-?)\$?(-?)([0-9.,]*[0-9])\.?", answer.strip())
    try:
        return Decimal("".join(found.groups()).replace(",", "")) if found else Decimal("nan")
    except ArithmeticError:
        return Decimal("nan")
