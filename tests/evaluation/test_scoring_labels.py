"""Labels of choices: which one an output decides for, by rules that no label is favoured by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clpd_bench.corpus.benchmarks import LABELS
from clpd_bench.evaluation.scoring import label, labels_like, same

DECIDED = [
    # What is trained, and how else an output may begin with its answer.
    ("(B) bank", "B"),
    ("(B) bank, not (A) and (C)", "B"),
    ("(B) bank is safer than (A) or (C)", "B"),
    ("(B) bank\n\nQuestion: where else?\n(A) here (B) there (C) far\nAnswer: (C)", "B"),
    ("(B) or (C)", None),
    ("A or B", None),
    ("(A) is a possibility, but (B) is better.", None),
    ("I choose B over A", "B"),
    ("(B) is not affected", "B"),
    ("(A) desk is incorrect one", "A"),
    ("（Ｂ） bank", "B"),
    ("B", "B"),
    ("B.", "B"),
    ("b", "B"),
    ("(b)", "B"),
    ("b) bank", "B"),
    ("B: bank", "B"),
    ("A. ignore", "A"),
    ("**B**", "B"),
    ("**B.** bank", "B"),
    ("`B`", "B"),
    ("'B'", "B"),
    ("$B$", "B"),
    ("A, since it is wet", "A"),
    ("A because it is wet", "A"),
    ("B</s>", "B"),
    # Behind a cue.
    ("The answer is A because it is wet", "A"),
    ("The answer is D.", "D"),
    ("the answer is b.", "B"),
    ("The answer is: (c)", "C"),
    ("Answer: A", "A"),
    ("ANSWER: B", "B"),
    ("The correct answer is **(E) shop**.", "E"),
    ("The correct option would be C) shop", "C"),
    ("So the final answer is <answer>B</answer>", "B"),
    (r"\boxed{D}", "D"),
    ("The answer is 'D'.", "D"),
    ("The correct option is $D$.", "D"),
    (r"Thus $\boxed{\text{D}}$.", "D"),
    ("I'd go with B.", "B"),
    ("I think it's C", "C"),
    ("A or B? I would say B", "B"),
    ("Therefore, (D)", "D"),
    ("The answer is (A). On second thought, the answer is (C).", "C"),
    ("(A) cat (B) dog (C) bird (D) cow (E) fly. The answer is (C).", "C"),
    ("A) 12\nB) 1/2\nC) 18\nD) 24\nE) 36\nThe best answer is D.", "D"),
    ("It is not space (option A) nor energy (option D). So the correct answer is (C) gravity.", "C"),
    # Before a verdict.
    ("A is correct, while B and C are wrong", "A"),
    ("C is the best answer. A is not.", "C"),
    ("Of these, (D) shop is the most likely answer; (A) is wrong.", "D"),
    # Negated.
    ("Not (A). The answer is (B).", "B"),
    ("(A) is wrong, so it is (B).", "B"),
    ("(A) bank is incorrect because it is closed. (B) fits.", "B"),
    ("It isn't (A) but (B).", "B"),
    ("The answer is not A but B.", "B"),
    ("The answer isn't (A). It would be (D).", "D"),
    ("Neither A nor B. Answer: D", "D"),
    ("I rule out (A) and (B), which leaves (C)", "C"),
    ("(A) and (C) are wrong, (B) stays", "B"),
    ("(C) rather than (D)", "C"),
    ("Not A", None),
    ("(A) is wrong", None),
    # Elsewhere.
    ("A person goes to the (C) library", "C"),
    ("A teacher would say E", "E"),
    ("I believe that option B fits, as in (C) and (D)", "B"),
    ("first\n(E)", "E"),
    ("(A) and (B) were named\nE", "E"),
    ("Let us see. Some say (A), some (B).\nE", "E"),
    # For none.
    ("It could be (A), it could be (B)", None),
    ("Because", None),
    ("a bank", None),
    ("A person", None),
    ("The answer is a bank", None),
    ("I think so", None),
    ("AB", None),
    ("C++ and D.C. and a.m.", None),
    ("", None),
]


@pytest.mark.parametrize(("output", "wanted"), DECIDED)
def test_an_output_decides_for_the_label_that_a_reader_takes_it_for(output: str, wanted: str | None) -> None:
    assert label(output, "ABCDE") == wanted


def test_an_output_that_begins_with_three_choices_repeated_does_not_answer_with_the_first() -> None:
    """A question with three choices has no more of them to repeat."""
    assert label("(A) cat (B) dog (C) bird\nThe answer is (C).", "ABC") == "C"


@pytest.mark.parametrize(
    ("output", "labels", "wanted"),
    [
        ("3", "1234", "3"),
        ("(2) a pump", "1234", "2"),
        ("3. a pump", "1234", "3"),
        ("The answer is 4.", "1234", "4"),
        ("The answer is 3 apples", "1234", None),
        ("30", "1234", None),
        ("2.5", "1234", None),
        ("$3", "1234", None),
        ("(b) bank", "abcde", "b"),
        ("B", "abcde", "b"),
        ("The answer is a.", "abcde", "a"),
        ("A bank", "abcde", None),
        ("I think it is (J)", "ABCDEFGHIJ", "J"),
        ("I believe the answer is I.", "ABCDEFGHIJ", "I"),
        ("I'm sure: H", "ABCDEFGHIJ", "H"),
        ("I", "ABCDEFGHIJ", "I"),
        ("F", "ABCDE", None),
        ("bank.", "", None),
        ("", "", None),
    ],
)
def test_labels_of_other_families(output: str, labels: str, wanted: str | None) -> None:
    assert label(output, labels) == wanted


SLOTS = st.lists(
    st.sampled_from(
        [
            *("({})", "{}", "{}.", "{})", "**{}**", "The answer is {}", "the answer is ({}) shop", "Option {}", "\n"),
            *("{} is correct", "({}) is wrong", "not {}", "It isn't ({}),", "{} because it is wet.", "\n({}) shop\n"),
            *("{} shop", "so {}.", "{} and", "or ({})", "but ({})", "I think", "a shop,", "Answer: {}", "{}: shop"),
        ]
    ),
    min_size=1,
    max_size=6,
)


@given(st.data(), SLOTS, st.sampled_from(["ABCDE", "ABCDEFGHIJ", "1234"]))
def test_permuting_the_labels_of_outputs_and_gold_changes_no_score(
    data: st.DataObject, parts: list[str], labels: str
) -> None:
    filled = [data.draw(st.sampled_from(labels)) for _ in parts]
    renamed = dict(zip(labels, data.draw(st.permutations(labels)), strict=True))
    before = " ".join(part.format(one) for part, one in zip(parts, filled, strict=True))
    after = " ".join(part.format(renamed[one]) for part, one in zip(parts, filled, strict=True))
    decided = label(before, labels)
    assert label(after, labels) == (None if decided is None else renamed[decided])
    for gold in labels:
        assert same(before, f"({gold}) shop", "letter") == same(after, f"({renamed[gold]}) shop", "letter")


def test_a_label_is_no_article_of_a_verdict_either() -> None:
    """`is A The answer` read as `is a ... answer` would judge what stands before it."""
    output = "{} ({}) The answer is {} The answer is {} {}"
    assert label(output.format(*"ABAAA"), "ABCDE") == "A"
    assert label(output.format(*"BABBB"), "ABCDE") == "B"


def test_corpora_take_the_labels_that_outputs_are_read_by() -> None:
    assert {*LABELS} == {"".join(labels_like(family[0])) for family in LABELS}


@pytest.mark.parametrize(
    ("answer", "family"),
    [
        *((answer, "ABCDEFGHIJ") for answer in ("(B) bank", "B", "B.", "B) bank", "B: bank", "**B**", " (J)")),
        *((answer, "abcdefghij") for answer in ("(b) bank", "b", "a", "c.")),
        *((answer, "123456789") for answer in ("3", "3.", "(3) a pump", "3) a pump")),
        *((answer, "") for answer in ("bank", "A bank", "a bank", "I think", "35", "3.5", "3 apples", "K", "")),
    ],
)
def test_the_family_of_labels_that_gold_is_of(answer: str, family: str) -> None:
    assert labels_like(answer) == [*family]
    if family:
        assert label(answer, family) is not None


@pytest.mark.parametrize(
    ("found", "answer", "right"),
    [
        ("B", "(B) bank", True), ("(B) bank", "B", True), ("b.", "(B) bank", True), ("The answer is B", "B", True),
        ("(C) bank", "(B) bank", False), ("bank", "(B) bank", False), ("", "B", False), ("2", "2", True),
        ("the bank", "the bank", True), ("a bank", "the bank", False),
    ],
)  # fmt: skip
def test_letters_are_the_same_by_label_and_other_answers_whole(found: str, answer: str, right: bool) -> None:
    assert same(found, answer, "letter") == right
