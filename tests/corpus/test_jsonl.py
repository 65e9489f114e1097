"""Files of JSON objects: which fields are read, where validation comes from, how bad rows are told."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clpd_bench.corpus.example import Example, example_ids
from clpd_bench.corpus.sources import examples
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.sources import Jsonl


def write(file: Path, rows: list[Any], array: bool = False) -> Path:
    text = json.dumps(rows, indent=1) if array else "".join(json.dumps(row) + "\n" for row in rows)
    file.write_text(text)
    return file


def rows(n: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"question": f"What is {i}?", "rationale": f"It is {i}.", "answer": str(i), "hops": i % 4}
        for i in range(start, start + n)
    ]


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    return write(tmp_path / "test.jsonl", rows(20, start=1000))


def source(train: Path, test: Path, **changed: Any) -> Jsonl:
    return Jsonl.model_validate(
        {"name": "jsonl", "train": train, "test": test, "rationale": "rationale", "validation": 0.2, **changed}
    )


def read(source: Jsonl) -> dict[str, list[Example]]:
    return examples(source)[0]


def contents(examples: list[Example]) -> list[tuple[str, str, str]]:
    return sorted((e.question, e.rationale, e.answer) for e in examples)


def test_an_array_and_lines_read_the_same(tmp_path: Path, test_file: Path) -> None:
    lines = read(source(write(tmp_path / "a.jsonl", rows(30)), test_file))
    array = read(source(write(tmp_path / "a.json", rows(30), array=True), test_file))
    assert {s: contents(e) for s, e in lines.items()} == {s: contents(e) for s, e in array.items()}


def test_every_row_is_read_once_as_it_is_written(tmp_path: Path, test_file: Path) -> None:
    made = read(source(write(tmp_path / "a.jsonl", rows(30)), test_file, columns=("hops",)))
    got = contents(made["train"] + made["validation"])
    assert got == sorted((r["question"], r["rationale"], r["answer"]) for r in rows(30))
    assert all(e.columns == {"hops": float(int(e.answer) % 4)} for e in made["train"])


def test_dots_reach_into_nested_objects(tmp_path: Path, test_file: Path) -> None:
    nested = [{"q": {"stem": r["question"]}, "a": {"b": {"c": r["answer"]}}, "m": {"hops": 2}} for r in rows(30)]
    write(test_file, [{"q": {"stem": "t"}, "a": {"b": {"c": "1"}}, "m": {"hops": 1}}])
    made = read(
        source(
            write(tmp_path / "a.jsonl", nested),
            test_file,
            question="q.stem",
            answer="a.b.c",
            rationale=None,
            columns=("m.hops",),
        )
    )
    assert (made["test"][0].question, made["test"][0].answer, made["test"][0].rationale) == ("t", "1", "")
    assert made["test"][0].columns == {"m.hops": 1.0}


def test_split_on_parts_a_solution_from_its_result_at_the_last_mark(tmp_path: Path, test_file: Path) -> None:
    solved = [{"question": f"q{i}", "answer": f"So #### it is {i}.\n#### {i} "} for i in range(30)]
    write(test_file, [{"question": "t", "answer": "Hence 5\n#### 5"}])
    made = read(source(write(tmp_path / "a.jsonl", solved), test_file, rationale=None, split_on="####"))
    assert (made["test"][0].rationale, made["test"][0].answer) == ("Hence 5", "5")
    assert {e.rationale for e in made["train"]} <= {f"So #### it is {i}." for i in range(30)}


def test_validation_does_not_depend_on_the_order_of_rows(tmp_path: Path, test_file: Path) -> None:
    shuffled = rows(60)
    random.Random(1).shuffle(shuffled)
    one = read(source(write(tmp_path / "a.jsonl", rows(60)), test_file))
    other = read(source(write(tmp_path / "b.jsonl", shuffled), test_file))
    assert {s: contents(e) for s, e in one.items()} == {s: contents(e) for s, e in other.items()}
    assert 0 < len(one["validation"]) < len(one["train"])


def test_a_question_keeps_its_side_when_rows_are_added(tmp_path: Path, test_file: Path) -> None:
    small = read(source(write(tmp_path / "a.jsonl", rows(40)), test_file))
    large = read(source(write(tmp_path / "b.jsonl", rows(80)), test_file))
    for split in ("train", "validation"):
        assert set(contents(small[split])) <= set(contents(large[split]))


def test_two_spellings_of_a_question_are_on_one_side(tmp_path: Path, test_file: Path) -> None:
    twice = [
        r | {"question": spelling} for r in rows(40) for spelling in (r["question"], f"  {r['question'].upper()}\n")
    ]
    made = read(source(write(tmp_path / "a.jsonl", twice), test_file))
    sides = [{" ".join(e.question.lower().split()) for e in made[s]} for s in ("train", "validation")]
    assert sides[0].isdisjoint(sides[1])


def test_limit_does_not_depend_on_the_order_of_rows(tmp_path: Path, test_file: Path) -> None:
    shuffled = rows(60)
    random.Random(2).shuffle(shuffled)
    limit = {"train": 10, "test": 5}
    one = read(source(write(tmp_path / "a.jsonl", rows(60)), test_file, limit=limit))
    write(test_file, rows(20, start=1000)[::-1])
    other = read(source(write(tmp_path / "b.jsonl", shuffled), test_file, limit=limit))
    assert {s: contents(e) for s, e in one.items()} == {s: contents(e) for s, e in other.items()}
    assert (len(one["train"]), len(one["test"])) == (10, 5)


def test_a_limited_training_split_is_a_part_of_the_whole_and_leaves_validation_alone(
    tmp_path: Path, test_file: Path
) -> None:
    file = write(tmp_path / "a.jsonl", rows(60))
    whole, part = read(source(file, test_file)), read(source(file, test_file, limit={"train": 7}))
    assert set(example_ids(part["train"])) <= set(example_ids(whole["train"]))
    assert contents(part["validation"]) == contents(whole["validation"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            '{"question": "q", "rationale": "r"}',
            r"this row has no field 'answer'\. Allowed: question, rationale\. Name",
        ),
        (
            '{"question": "q", "rationale": "r", "anwser": "a"}',
            r"this row has no field 'answer'\. Did you mean 'anwser'\?",
        ),
        ('{"question": "q", "rationale": "r", "answer": ""}', r"field 'answer' wants text that is not empty"),
        ('{"question": "q", "rationale": "r", "answer": ["a"]}', r"field 'answer' wants text"),
        ('{"question": null, "rationale": "r", "answer": "a"}', r"field 'question' wants text .*, and holds null"),
        ('{"question": "q", "rationale": "r", "answer": NaN}', r"field 'answer' wants text .*, and holds nan"),
        ('{"question": "q", "rationale": "r", "answer": -Infinity}', r"field 'answer' wants text .*, and holds -inf"),
        ('{"question": "q", "rationale": "r", "answer": true}', r"field 'answer' wants text .*, and holds true"),
        ('{"question": "q\\ud800", "rationale": "r", "answer": "a"}', r"field 'question' holds half of a surrogate"),
        ('["q", "r", "a"]', r"this row is no JSON object"),
        ('{"question": "q",', r"not valid JSON"),
        ('{"question": "q", "rationale": "r", "answer": "a",}', r"not valid JSON: there is a comma in front of this }"),
        ("plain text", r"not valid JSON"),
    ],
)
def test_a_bad_row_is_told_with_file_and_line(tmp_path: Path, test_file: Path, line: str, says: str) -> None:
    file = tmp_path / "a.jsonl"
    good = "".join(json.dumps(row) + "\n" for row in rows(3))
    file.write_text(f"{good}\n{line}\n{good}")
    with pytest.raises(UserError, match=rf"a\.jsonl:5: {says}"):
        read(source(file, test_file))


NUMBERS = ["3.0", "1e16", "1E5", "-0", "0.10", "12345678901234567890", "1e400"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("array", [False, True], ids=["lines", "array"])
def test_a_number_is_the_text_that_the_file_has_and_a_number_in_a_column(
    tmp_path: Path, test_file: Path, number: str, array: bool
) -> None:
    written = f'{{"question": "q", "rationale": "r", "answer": {number}, "hops": {number[:4]}}}'
    file = tmp_path / "a.jsonl"
    file.write_text(f"[\n{written}\n]" if array else written)
    (made,) = read(source(test_file, file, columns=("hops",)))["test"]
    assert (made.answer, made.columns) == (number, {"hops": float(number[:4])})


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (1e16, "10000000000000000"), (2.50, "2.5"), (1e-7, "0.0000001"), (7, "7")]
)
def test_a_number_of_a_table_is_its_decimal_digits(tmp_path: Path, test_file: Path, value: float, text: str) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"question": ["q"], "rationale": ["r"], "answer": [value]}), file)
    assert [e.answer for e in read(source(test_file, file))["test"]] == [text]


def test_a_gap_in_a_table_is_told_with_its_row(tmp_path: Path, test_file: Path) -> None:
    file = tmp_path / "a.parquet"
    for gap, said in ((None, "null"), (float("nan"), "nan")):
        pq.write_table(pa.table({"question": ["p", "q"], "rationale": ["r", "r"], "answer": [1.0, gap]}), file)
        with pytest.raises(UserError, match=rf"a\.parquet:2: field 'answer' wants text .*, and holds {said}"):
            read(source(test_file, file))


def test_a_byte_order_mark_is_none_of_the_text(tmp_path: Path, test_file: Path) -> None:
    plain = write(tmp_path / "a.jsonl", rows(3))
    marked = tmp_path / "b.jsonl"
    marked.write_text(plain.read_text(), encoding="utf-8-sig")
    one, other = (contents(read(source(test_file, file))["test"]) for file in (plain, marked))
    assert one == other


PACKED = gzip.compress(b'{"question": "q"}')
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", PACKED, r"a\.jsonl: is compressed \(gzip\)\. Decompress it"),
        ("a.parquet", PACKED, r"a\.parquet: is compressed \(gzip\)\. Decompress it"),
        ("a.jsonl", POINTER, r"a\.jsonl.* is a pointer of Git LFS.*git lfs pull"),
        ("a.parquet", POINTER, r"a\.parquet.* is a pointer of Git LFS.*git lfs pull"),
        ("a.json", b'[\n{"question": "q"},\n]', r"a\.json:3: not valid JSON: there is a comma in front of this \]"),
    ],
    ids=["gzip", "gzip as a table", "pointer", "pointer as a table", "comma"],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, test_file: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says):
        read(source(test_file, tmp_path / name))


@pytest.mark.parametrize("value", ["two", None, True, float("nan")])
def test_a_column_that_is_no_number_is_told_with_file_and_line(tmp_path: Path, test_file: Path, value: Any) -> None:
    bad = rows(3)
    bad[1]["hops"] = value
    with pytest.raises(UserError, match=r"a\.jsonl:2: column 'hops' wants a number"):
        read(source(write(tmp_path / "a.jsonl", bad), test_file, columns=("hops",)))


def test_a_solution_without_its_mark_is_told_with_file_and_line(tmp_path: Path, test_file: Path) -> None:
    file = write(tmp_path / "a.jsonl", [{"question": "q", "answer": "#### 3"}, {"question": "p", "answer": "three"}])
    with pytest.raises(UserError, match=r"a\.jsonl:2: field 'answer' holds no result behind '####'\. Found 'three'"):
        read(source(file, test_file, rationale=None, split_on="####"))


def test_a_test_question_in_the_training_file_is_told_with_both_places(tmp_path: Path, test_file: Path) -> None:
    training = rows(5)
    training[3]["question"] = "  what IS   1004? "  # the fifth test question, in another spelling
    file = write(tmp_path / "a.jsonl", training)
    with pytest.raises(UserError) as told:
        read(source(file, test_file))
    text = str(told.value)
    assert text.startswith(f"{file}:4: 1 of 5 questions of the training part stands in the test part too")
    assert f"({test_file}:5)" in text
    assert "`overlap: drop_train` or `overlap: drop_test`" in text


def test_an_empty_split_is_refused(tmp_path: Path, test_file: Path) -> None:
    with pytest.raises(UserError, match=r"the (train|validation) split is empty"):
        read(source(write(tmp_path / "a.jsonl", rows(1)), test_file))
    with pytest.raises(UserError, match=r"test\.jsonl: source\.test: the test split is empty"):
        read(source(write(tmp_path / "a.jsonl", rows(40)), write(test_file, [])))
