"""What rules score that read no meaning: a model near such a floor has shown nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from clpd_bench.corpus.reader import Split
from clpd_bench.errors import UserError
from clpd_bench.evaluation.scoring import number, numbers
from clpd_bench.settings.parts.evaluation import Floor


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
    answers = [_value(answer) for answer in test.texts("answer")]
    if floor == "most_common_answer":
        counts = Counter(map(_value, train.texts("answer")))
        common = min(counts, key=lambda answer: (-counts[answer], str(answer)))
        return {item: float(answer == common) for item, answer in zip(ids, answers, strict=True)}
    rule = RULES[floor]
    found = map(numbers, test.texts("question"))
    return {
        item: float(bool(values) and rule(values) == answer)
        for item, values, answer in zip(ids, found, answers, strict=True)
    }


def _value(answer: str) -> Fraction | str:
    """A number's value; of another answer its text."""
    return answer if (value := number(answer)) is None else value


def _larger_minus_smaller(found: Sequence[Fraction]) -> Fraction | None:
    return abs(found[0] - found[1]) if len(found) > 1 else None


RULES: dict[Floor, Callable[[Sequence[Fraction]], Fraction | None]] = {
    "larger_minus_smaller": _larger_minus_smaller,
    "last_number": lambda found: found[-1],
}
