"""The published benchmarks: what becomes question, rationale and answer, and which split a question is of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from clpd_bench.corpus.example import SPLITS, Example
from clpd_bench.corpus.sameness import hash_of, sameness
from clpd_bench.corpus.sources import examples
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.sources import Source


def write(file: Path, rows: list[Any]) -> str:
    file.write_text("\n".join(map(json.dumps, rows)))
    return str(file)


def made(source: dict[str, Any]) -> dict[str, list[Example]]:
    return examples(TypeAdapter[Any](Source).validate_python(source))[0]


def all_of(splits: dict[str, list[Example]]) -> list[Example]:
    return [e for split in SPLITS for e in splits[split]]


def gsm8k_row(i: int) -> dict[str, str]:
    answer = f"Half is {i}/2 = $<<{i}/2={i / 2}>>{i / 2}.\nSo <<1+1=2>>2,000 + {i}.\n#### 2,{i:03d}"
    return {"question": f"What of {i}?", "answer": answer}


@pytest.fixture
def gsm8k(tmp_path: Path) -> dict[str, Any]:
    train = write(tmp_path / "train.jsonl", [gsm8k_row(i) for i in range(60)])
    return {"name": "gsm8k", "train": train, "test": write(tmp_path / "test.jsonl", [gsm8k_row(i) for i in (77, 78)])}


def test_gsm8k_solutions_lose_their_calculator_and_results_their_commas(gsm8k: dict[str, Any]) -> None:
    (one,) = [e for e in made(gsm8k)["test"] if "77" in e.question]
    assert (one.question, one.answer) == ("What of 77?", "2077")
    assert one.rationale == "Half is 77/2 = $38.5.\nSo 2,000 + 77."


def test_gsm8k_keeps_its_calculator_when_asked(gsm8k: dict[str, Any]) -> None:
    (one,) = [e for e in made(gsm8k | {"calculator": True})["test"] if "77" in e.question]
    assert one.rationale == "Half is 77/2 = $<<77/2=38.5>>38.5.\nSo <<1+1=2>>2,000 + 77."


def test_gsm8k_without_a_result_is_refused_with_its_line(gsm8k: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", [gsm8k_row(77), {"question": "q", "answer": "no result"}])
    with pytest.raises(UserError, match=r"test\.jsonl:2: field 'answer' holds no result behind '####'"):
        made(gsm8k)


def svamp_row(i: int, equation: str = "", answer: float | str = 0.0) -> dict[str, Any]:
    equation = equation or f"( {i}.0 + 1.0 )"
    return {"Body": f"Anna has {i} pears", "Question": "How many?", "Equation": equation, "Answer": answer}


def svamp(tmp_path: Path, rows: list[Any], **changed: Any) -> dict[str, list[Example]]:
    (tmp_path / "svamp.json").write_text(json.dumps(rows))
    return made({"name": "svamp", "file": str(tmp_path / "svamp.json"), **changed})


@pytest.mark.parametrize(
    ("equation", "answer", "rationale"),
    [
        ("( 8.0 - 3.0 )", 5.0, "8 - 3 = 5"),
        ("( ( 692.0 + 692.0 ) - 458.0 )", 926.0, "(692 + 692) - 458 = 926"),
        ("( 6.0 - ( 3.0 + 2.0 ) )", "1", "6 - (3 + 2) = 1"),
        ("( 1.0 + 2.0 ) * ( 3.0 + 4.0 )", "21.0", "(1 + 2) * (3 + 4) = 21"),
        ("8.0", 8.0, "8 = 8"),
        ("( 1.0 / 4.0 )", 0.25, "1 / 4 = 0.25"),
        ("( 1e16 + 1.0 )", 1e16, "10000000000000000 + 1 = 10000000000000000"),
        ("( 9007199254740993.0 + 0.0 )", "9,007,199,254,740,993", "9007199254740993 + 0 = 9007199254740993"),
    ],
)
def test_svamp_equations_are_written_as_people_write_them(
    tmp_path: Path, equation: str, answer: float | str, rationale: str
) -> None:
    splits = svamp(tmp_path, [*(svamp_row(i) for i in range(60)), svamp_row(77, equation, answer)])
    (one,) = [e for e in all_of(splits) if "77" in e.question]
    assert one.question == "Anna has 77 pears How many?"
    assert (one.rationale, one.answer) == (rationale, rationale.rpartition("= ")[2])


@pytest.mark.parametrize("order", [1, -1])
def test_svamp_test_questions_are_the_3_in_10_with_the_highest_hashes(tmp_path: Path, order: int) -> None:
    rows = [svamp_row(i) for i in range(1000)]
    splits = svamp(tmp_path, rows[::order])
    by_hash = sorted((f"Anna has {i} pears How many?" for i in range(1000)), key=lambda q: hash_of(sameness(q)))
    assert sorted(e.question for e in splits["test"]) == sorted(by_hash[700:])
    assert len(splits["train"]) + len(splits["validation"]) == 700
    assert len(splits["validation"]) > 30


def test_svamp_halves_of_a_repeated_question_stay_on_one_side(tmp_path: Path) -> None:
    splits = svamp(tmp_path, [svamp_row(i) for i in range(60)] * 2)
    assert len(splits["test"]) == 2 * 18


@pytest.mark.parametrize("answer", ["five", "NaN", "-Infinity"])
def test_a_svamp_answer_that_is_no_number_is_refused(tmp_path: Path, answer: str) -> None:
    with pytest.raises(UserError, match=rf"svamp\.json:1: field 'Answer' wants a number.*{answer}"):
        svamp(tmp_path, [svamp_row(0, answer=answer)])


def qa_row(i: int, key: str = "B") -> dict[str, Any]:
    choices = [{"label": label, "text": f"place {label.lower()}"} for label in "ABC"]
    return {"answerKey": key, "question": {"stem": f"Where is {i}?", "choices": choices}}


@pytest.fixture
def qa(tmp_path: Path) -> dict[str, Any]:
    train = write(tmp_path / "train.jsonl", [qa_row(i) for i in range(60)])
    test = write(tmp_path / "validation.jsonl", [qa_row(77, "C"), qa_row(78)])
    return {"name": "commonsense_qa", "train": train, "test": test}


def test_commonsense_qa_puts_lettered_choices_into_the_question(qa: dict[str, Any]) -> None:
    (one,) = [e for e in made(qa)["test"] if "77" in e.question]
    assert one.question == "Where is 77?\n(A) place a\n(B) place b\n(C) place c"
    assert (one.rationale, one.answer) == ("", "(C) place c")
    assert one.choices == ("(A) place a", "(B) place b", "(C) place c")
    assert one.label == 2


def test_a_commonsense_qa_key_that_is_no_choice_is_refused(qa: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "validation.jsonl", [qa_row(77, "E")])
    with pytest.raises(UserError, match=r"validation\.jsonl:1: field 'answerKey' wants the letter of one choice"):
        made(qa)


def test_limits_keep_those_whose_ids_come_first(qa: dict[str, Any]) -> None:
    whole, limited = made(qa), made(qa | {"limit": {"train": 7, "test": 1}})
    assert (len(limited["train"]), len(limited["test"])) == (7, 1)
    assert {e.question for e in limited["train"]} < {e.question for e in whole["train"]}
    assert limited["validation"] == whole["validation"]


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ({"name": "gsm8k"}, "neither"),
        ({"name": "gsm8k", "train": "a"}, "train"),
        ({"name": "svamp", "file": "a", "revision": "0" * 40}, "file, revision"),
    ],
)
def test_a_published_source_is_local_or_the_hubs(source: dict[str, Any], given: str) -> None:
    with pytest.raises(ValidationError, match=f"either local files .* or a revision .*; given: {given}"):
        TypeAdapter[Any](Source).validate_python(source)


@pytest.mark.parametrize("revision", ["the newest", "", "-x", "a//b", "../a"])
def test_a_revision_is_a_commit_a_branch_or_a_tag(revision: str) -> None:
    with pytest.raises(ValidationError, match="wants a branch, a tag, or a commit with all 40 hex digits"):
        TypeAdapter[Any](Source).validate_python({"name": "gsm8k", "revision": revision})
