"""Before any training, right answers are read as outputs: a benchmark that scores one wrong is refused by its key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.prepare import declare, make_data
from clpd_bench.plan.build import point_plans
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
ONE, TWO = "4", "4 to 5"
"""An answer that is one number, and one that is two."""


def checked(folder: Path, train: str, test: str, *sets: str) -> None:
    """As a run begins, before it trains; all answers of a part are this one. Validation items are of the training
    part."""
    for part, answer, questions in (("train", train, range(40)), ("test", test, range(100, 106))):
        rows = [{"question": f"e{i}: so?", "why": "so " * (1 + i % 3), "answer": answer} for i in questions]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"name": "jsonl", **{part: str(folder / f"{part}.jsonl") for part in ("train", "test")}}
    source |= {"rationale": "why", "validation": 0.3}
    changed = [f"corpora.sums.source={json.dumps(source)}", "models.small.corpus=sums", "models.large.corpus=sums"]
    changed += ["corpora.many.tokenizer=characters", "evaluation.benchmarks.sums.extract=number", *sets]
    points, store = point_plans(load_ablation(SMALL, changed), SMALL), Store(folder / "store")
    make_data(points[0].plan, store)
    declare(points, store)


BY_ACCURACY = "analysis.primary={benchmark: sums, metric: exact_match, filter: strict}"


def test_right_answers_that_get_full_marks_are_let_through(tmp_path: Path) -> None:
    checked(tmp_path, ONE, ONE, BY_ACCURACY)


@pytest.mark.parametrize(("train", "test", "split"), [(ONE, TWO, "test"), (TWO, ONE, "validation")])
def test_a_right_answer_that_is_scored_wrong_is_told_by_the_benchmarks_key(
    train: str, test: str, split: str, tmp_path: Path
) -> None:
    """Those of validation items, too, by which teachers are put in order."""
    with pytest.raises(UserError, match=rf"{split} split: .* do not get full marks") as raised:
        checked(tmp_path, train, test, BY_ACCURACY)
    assert raised.value.key == "evaluation.benchmarks.sums.gold"


def test_what_no_answer_is_read_of_may_be_anything(tmp_path: Path) -> None:
    """Teachers are put in order by the primary result, and the response loss reads no answer."""
    checked(tmp_path, TWO, ONE)
