"""Which questions of one list stand in another's texts: whole, inside longer ones, behind a prefix."""

from __future__ import annotations

import pytest

from clpd_bench.corpus.shared_questions import Texts

DUCKS = "Janet's ducks lay 16 eggs per day. She eats three. How many are left?"
ROBE = "A robe takes 2 bolts of blue fiber and half that much white fiber. How many bolts in total?"


def found(tested: list[str], read: list[str], behind: list[str] | None = None) -> dict[int, int]:
    return Texts(tested).found_in(Texts(read, behind or []))


@pytest.mark.parametrize(
    "read",
    [
        f"Please answer: {DUCKS}",
        f"{DUCKS}\nGive the number alone.",
        f"Question: {ROBE}\nAnswer: 3\n\nQuestion: {DUCKS.upper()}\nAnswer:",
    ],
    ids=["before", "behind", "few shots"],
)
def test_a_question_is_found_inside_a_longer_text_and_the_other_way_round(read: str) -> None:
    assert found([ROBE + "?", "Another one altogether, of 5 robes?", DUCKS], ["Some text.", read])[2] == 1
    assert found([read], ["Some text.", DUCKS]) == {0: 1}


def test_a_question_is_found_in_the_response_behind_another() -> None:
    assert found([DUCKS], ["Say something.", "More."], ["", f"Well: {DUCKS}"]) == {0: 1}


def test_other_words_in_front_of_all_of_either_list_do_not_hide_a_question() -> None:
    tested = [f"Question: {one} Answer:" for one in (DUCKS, ROBE)]
    read = [f"Please solve this. {one}" for one in (ROBE, "Mark has 3 trees and plants 12 more. How many now?")]
    assert found(tested, read) == {1: 0}


def test_a_calculation_is_found_with_any_words_around_it_and_not_inside_a_longer_one() -> None:
    assert found(["3+4-2?", "5-1?"], ["Please answer: 3 + 4 - 2", "3+4-2+5-1?", "13+4-2?"]) == {0: 0}
    assert found(["Please answer: 3 + 4 - 2"], ["3+4-2?"]) == {0: 0}


def test_short_questions_and_parts_of_words_and_numbers_are_not_found_in_what_only_looks_like_them() -> None:
    assert found(["How many are left?"], [DUCKS]) == {}
    assert found([DUCKS[:-1] + " 3"], [f"{DUCKS[:-1]} 30"]) == {}
    assert found(["ants lay 16 eggs per day and eat three"], ["Elephants lay 16 eggs per day and eat three"]) == {}
    assert found(["ducks lay 16 eggs per day and eat three"], ["ducks lay 16 eggs per day and eat threefold"]) == {}
    assert found(["", "?", "12"], ["There are 12 of them", "!"]) == {}


def test_a_list_that_goes_on_is_another_question() -> None:
    tested = ["Reverse the list: 3 1 2 8 4", "Turn these names round: Anna Bob Carl", "2-1+0+4-6-3?"]
    assert found(tested, ["Reverse the list: 3 1 2 8 4 5", "Turn these names round: Anna Bob Carl Dave"]) == {}
    assert found(tested, ["1+2-1+0+4-6-3?", "2-1+0+4-6-3+1?", "Reverse the list: 9 3 1 2 8 4"]) == {}
    assert found(tested, ["9 + 1 = 10\n2-1+0+4-6-3 = ?", f"So. {tested[1]}\nCarl Bob Anna"]) == {2: 0, 1: 1}


def test_each_of_several_that_are_the_same_is_found_at_the_first_place() -> None:
    assert found([DUCKS, "x", DUCKS.lower()], ["y", DUCKS, DUCKS]) == {0: 1, 2: 1}


def test_thousands_of_texts_with_one_long_template_are_compared_in_seconds() -> None:
    """Were texts that begin alike compared one by one, this would take minutes."""
    template = "Please choose the right answer to the question that follows, and give its letter alone. "
    tested, read = (
        [f"{template}How many of {i} are left when {i + shift} go away?" for i in range(4000)] for shift in (1, 2)
    )
    assert found(tested, [*read, tested[7]]) == {7: 4000}
