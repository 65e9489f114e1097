"""What rules score that read no meaning, against counting by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clpd_bench.corpus.reader import Ragged, Split
from clpd_bench.errors import UserError
from clpd_bench.evaluation.floors import floor_scores
from clpd_bench.settings.parts.evaluation import Floor

NOTHING = Ragged(np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64))


def split(rows: list[tuple[str, str]], **columns: Any) -> Split:
    ids = [str(i) for i in range(len(rows))]
    table = pa.table({"question": [q for q, _ in rows], "answer": [a for _, a in rows], **columns})
    return Split(np.array(ids), NOTHING, NOTHING, table)


TEST = split(
    [
        ("It costs $ 76. A discount is 25 dollars.", "51.0"),
        ("He had 3 left of 1,004. How many went?", "1,001"),
        ("One number, 7, alone?", "7"),
        ("No number at all?", "7"),
        ("From 2 and 9 and 40", "40"),
        ("3 and 3?", "-0"),
        ("2 and 4", "two"),
    ]
)
TRAIN = split([("", answer) for answer in ("9", "7", "7.0", "9", "40")])


@pytest.mark.parametrize(
    ("floor", "right"),
    [("larger_minus_smaller", {0, 1, 5}), ("last_number", {2, 4}), ("most_common_answer", {2, 3})],
)
def test_a_rule_is_right_where_it_is_by_hand(floor: Floor, right: set[int]) -> None:
    scores = floor_scores(floor, TRAIN, TEST)
    assert {int(item) for item, score in scores.items() if score} == right
    assert {*scores.values()} == {0.0, 1.0}


def test_a_uniform_guess_is_right_once_in_as_many_as_there_are_choices() -> None:
    test = split([("", ""), ("", "")], choices=[["a", "b"], ["a", "b", "c", "d", "e"]])
    assert floor_scores("uniform", TRAIN, test) == {"0": 0.5, "1": 0.2}
    with pytest.raises(UserError, match="no choices"):
        floor_scores("uniform", TRAIN, TEST)
