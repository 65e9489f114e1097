"""Chained sums: every step is right, and no test question is ever trained on."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clpd_bench.corpus.chained_sums import ALPHABET, generate
from clpd_bench.corpus.example import Example, example_ids
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.sources import ChainedSums


def sums(**changed: object) -> ChainedSums:
    given_ = {"name": "chained_sums", "operations": (1, 4), "train": 40, "validation": 8, "test": 12, **changed}
    return ChainedSums.model_validate(given_)


def recomputed(question: str, modulus: int) -> tuple[str, str]:
    """Rationale and answer of a question, from its text alone."""
    assert re.fullmatch(r"\d([+-]\d)+\?", question)
    value, steps = int(question[0]), []
    for sign, digit in re.findall(r"([+-])(\d)", question):
        after = eval(f"({value} {sign} {digit}) % {modulus}")
        steps.append(f"{value}{sign}{digit}={after}")
        value = after
    return ";".join(steps), str(value)


corpora = st.builds(
    sums,
    modulus=st.integers(3, 10),
    operations=st.tuples(st.integers(1, 3), st.integers(3, 6)),
    train=st.integers(1, 40),
    validation=st.integers(1, 10),
    test=st.integers(1, 20),
    seed=st.integers(0, 10**6),
)


@settings(max_examples=15, deadline=None)
@given(corpora)
def test_every_response_is_right_modulo_the_base(source: ChainedSums) -> None:
    for examples in generate(source).values():
        for e in examples:
            assert (e.rationale, e.answer) == recomputed(e.question, source.modulus)
            assert e.columns == {"operations": float(len(re.findall(r"[+-]", e.question)))}
            assert source.operations[0] <= e.columns["operations"] <= source.operations[1]
            assert set(e.question + e.rationale + e.answer) <= set(ALPHABET)
            assert all(int(digit) < source.modulus for digit in re.findall(r"\d", e.question))


@settings(max_examples=15, deadline=None)
@given(corpora, corpora)
def test_no_test_question_is_in_the_training_or_validation_of_any_corpus(one: ChainedSums, other: ChainedSums) -> None:
    first, second = generate(one), generate(other)

    def questions(examples: list[Example]) -> set[str]:
        return {e.question for e in examples}

    for test, seen in ((first, second), (second, first), (first, first)):
        assert questions(test["test"]).isdisjoint(questions(seen["train"]) | questions(seen["validation"]))
        assert questions(test["validation"]).isdisjoint(questions(seen["train"]))


@settings(max_examples=15, deadline=None)
@given(corpora)
@example(sums(modulus=3, operations=(1, 3), train=1, validation=10, test=20))  # few short questions
def test_validation_and_test_questions_are_distinct_and_as_many_as_asked_for(source: ChainedSums) -> None:
    made = generate(source)
    assert {split: len(examples) for split, examples in made.items()} == {
        "train": source.train,
        "validation": source.validation,
        "test": source.test,
    }
    for split in ("validation", "test"):
        assert len({e.question for e in made[split]}) == len(made[split])


@settings(max_examples=15, deadline=None)
@given(corpora)
def test_each_length_has_its_share_of_the_training_examples(source: ChainedSums) -> None:
    counts = dict.fromkeys(range(source.operations[0], source.operations[1] + 1), 0)
    for e in generate(source)["train"]:
        counts[int(e.columns["operations"])] += 1
    assert max(counts.values()) - min(counts.values()) <= 1


@settings(max_examples=15, deadline=None)
@given(corpora)
def test_ids_are_distinct_and_of_the_content_alone(source: ChainedSums) -> None:
    made = generate(source)
    ids = [i for examples in made.values() for i in example_ids(examples)]
    assert len(set(ids)) == len(ids)
    train = made["train"]
    assert sorted(example_ids(train)) == sorted(example_ids(train[::-1]))


def test_an_id_changes_with_question_rationale_or_answer() -> None:
    base = Example("q", "r", "a")
    changed = [Example("Q", "r", "a"), Example("q", "R", "a"), Example("q", "r", "A"), Example("qr", "", "a")]
    assert len({example_ids([e])[0] for e in (base, *changed)}) == 5
    elsewhere = Example("q", "r", "a", {"x": 1.0}, "f", 3)
    assert example_ids([elsewhere]) == example_ids([base])


def test_equal_examples_have_ids_of_their_own() -> None:
    assert len(set(example_ids([Example("q", "r", "a")] * 5))) == 5


def test_a_corpus_is_a_function_of_its_settings() -> None:
    assert generate(sums(seed=3)) == generate(sums(seed=3))
    assert generate(sums(seed=3)) != generate(sums(seed=4))


def test_more_distinct_questions_than_there_are_is_refused() -> None:
    # One operation modulo 2: "a+b?" and "a-b?" are 8 questions, of which some are for testing.
    with pytest.raises(UserError, match=r"source\.\w+: \w+ asks for 50 distinct questions, and there are \d. Ask for"):
        generate(sums(modulus=2, operations=(1, 1), train=5, validation=50, test=50))
