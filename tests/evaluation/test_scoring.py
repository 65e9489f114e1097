"""Numbers: their values, and where they are found in an output; what stands behind a marker; what is the same."""

from __future__ import annotations

import ast
import re
import sys
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clpd_bench.evaluation import scoring
from clpd_bench.evaluation.scoring import (
    behind,
    label,
    labels_like,
    last_line,
    last_number,
    leading_number,
    number,
    numbers,
    same,
)

VALUES = {
    "7": "7", "007": "7", "+5": "5", "-3": "-3", "\u22123": "-3", "\u20133": "-3", ".5": "1/2", "5.": "5", "-5.": "-5",
    "100.00": "100", "1,080": "1080", "10,80,000": "1080000", "1,0000": "10000", "1,000,000.5": "2000001/2",
    "3/4": "3/4", "3 / 4": "3/4", "1,000/3": "1000/3", "1.5/2": "3/4", "3 1/2": "7/2", "-3 1/2": "-7/2", "½": "1/2",
    "3½": "7/2", "50%": "50", "50 %": "50", "$5": "5", "$ 5": "5", "-$5": "-5", "$-5": "-5", "€5": "5", "5 €": "5",
    "5$": "5", "Rs. 500": "500", "Rs.500": "500", "US$5": "5", "USD 5": "5", "1e3": "1000", "1E-3": "1/1000",
    "3 x 10^2": "300", "3*10^2": "300", "3×10⁵": "300000", "10^-2": "1/100", "10**3": "1000", "１２": "12",
    "（１，０８０．５）": "2161/2", "٣": "3", "(5)": "5", "**12**": "12", "*5*": "5", "`5`": "5", "**$1,200**": "1200",
    r"\boxed{7}": "7", r"$\boxed{\frac{3}{4}}$.": "3/4", r"\text{7}": "7", r"\$12": "12", r"$\$12$": "12",
    r"50\%": "50", r"-\frac{3}{4}": "-3/4", r"\dfrac34": "3/4", r"3\frac{1}{2}": "7/2", r"1{,}000": "1000",
    r"1\,000": "1000", r"1,\!000": "1000", r"\(12\)": "12", r"3 \times 10^{2}": "300", r"3 \cdot 10^{-2}": "3/100",
}  # fmt: skip

NO_NUMBER = [
    "", ".", "-", "$", "seven", "72 apples", "3 and 5", "3, 5", "3,4", "1, 2", "1,08,0", "1 000", "5-3", "3-5", "3 + 4",
    "2024-03-01", "01-03-2024", "10:30", "1.2.3", "3/4/24", "5/0", "0/0", "12 24/3", "2^3", "x^2", "x1", "5\\pi", "5√2",
    "-$-5", "1e1000", "1e999999999", "10^99999999", "9" * 5000, "1e3.5", "B2", "±5", "[3, 5]", "3;5", "nan", "inf",
    "5 million", "1.5 billion", "5k", "3 dozen", "3 of 4",
]  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_a_number_has_the_value_that_the_grammar_gives_it(text: str) -> None:
    assert number(text) == Fraction(VALUES[text])
    assert number(f" {text}\n") == Fraction(VALUES[text])


@pytest.mark.parametrize("text", NO_NUMBER)
def test_a_text_that_is_not_one_number_has_no_value(text: str) -> None:
    assert number(text) is None


FOUND = [
    ("16 - 3 = 13 eggs, so 13 * 2 = 26.\n#### 26", "26"),
    ("She has 25-7 apples", "7"),  # an operator, no sign
    ("It is (3+4)-5", "5"),
    ("50%-20", "20"),
    ("The result is -5.", "-5"),
    ("The result is \u22125.", "-5"),
    ("It is $-5.25", "$-5.25"),
    ("It costs $1,080.50 in all.", "$1,080.50"),
    ("It costs **$1,200** a year", "$1,200"),
    ("from 3,4", "4"),  # groups no thousands: two values
    ("12 and then 3.0\n", "3.0"),
    ("is 3 1/2 cups", "3 1/2"),
    ("12 24/3", "24/3"),  # no fraction below 1: two values
    ("so a third, 1/3.", "1/3"),
    ("$16.50/pair", "$16.50"),
    ("$<<6*2=12>>12", "12"),
    ("weighs 5kg", "5"),
    ("the 21st", "21"),
    ("x=5", "5"),
    ("Rs500 each", "Rs500"),
    ("共有72个苹果。", "72"),
    ("ends.5", "5"),
    ("is 1e3 m", "1e3"),
    ("about 3 \\times 10^{2} m", "3 × 10^2"),
    ("so \\boxed{42}.", "42"),
    ("\\boxed{1}\\boxed{2}", "2"),
    ("is 36.</s>", "36"),
    ("is 36<|eot_id|>", "36"),
    ("72, at 10:30 on 2024-03-01 under 1.2.3", "72"),
    ("72 of B2 in x^2", "72"),
    ("5 and 1e9999", "5"),
    ("6. So it is $12.\n7. Calculate the total", "$12"),
    ("7. Calculate the total", "7"),
    (r"\frac{3+1}{2} = 2", "2"),
    ("no number at all", None),
    ("at 10:30", None),
    ("2^3", None),
    ("3x4", None),
    ("", None),
]


@pytest.mark.parametrize(("output", "found"), FOUND)
def test_the_last_number_of_an_output_is_found_as_it_is_written(output: str, found: str | None) -> None:
    assert last_number(output) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("72 apples", "72"), ("72", "72"), ("72.", "72"), ("\n 7", "7"), (": 5", "5"), ("**12** eggs", "12"),
        ("$5 each", "$5"), ("5kg", "5"), ("50%", "50%"), ("(5)", "5"), ("72 = 60 + 12", "72"), ("18 (see 3)", "18"),
        ("1/2 of it", "1/2"), ("1,080 in all, 3 of them red", "1,080"), ("-3", "-3"), (r"\boxed{7}", "7"),
        ("10:30", None), ("3/4/24", None), ("2024-03-01", None), ("1-2", None), ("5 - 3", None), ("3 + 4 = 7", None),
        ("3,4", None),
        ("(5, 6)", None), ("3 or 5", None), ("3 and 5", None), ("3 to 5", None), ("12 24/3", None), ("is 5", None),
        ("5\\pi", None), ("1e9999", None), ("", None),
    ],
)  # fmt: skip
def test_a_number_leads_where_it_is_not_part_of_something_else(text: str, found: str | None) -> None:
    assert leading_number(text) == found


digits = st.text("0123456789", min_size=1, max_size=8)


def grouped(value: str, size: int) -> str:
    head, groups = value[:-3], [value[-3:]]
    while head:
        head, group = head[:-size], head[-size:]
        groups.insert(0, group)
    return ",".join(groups)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Fraction]:
    """A number in one of the grammar's forms, and its value."""
    whole, more = draw(digits), draw(digits)
    under = draw(st.integers(1, 999))
    over = draw(st.integers(0, under - 1))
    power = draw(st.integers(-30, 30))
    decimal = Fraction(Decimal(f"{whole}.{more}"))
    form, value = draw(
        st.sampled_from(
            [
                (whole, Fraction(whole)),
                (f"{whole}.{more}", decimal),
                (grouped(whole, 3), Fraction(whole)),
                (grouped(whole, 2), Fraction(whole)),
                (f"{whole}.{more}/{under}", decimal / under),
                (f"{whole} {over}/{under}", Fraction(whole) + Fraction(over, under)),
                (f"{whole}.{more}e{power}", decimal * Fraction(10) ** power),
                (f"{whole} x 10^{power}", Fraction(whole) * Fraction(10) ** power),
                (rf"{whole}.{more} \times 10^{{{power}}}", decimal * Fraction(10) ** power),
                (rf"\frac{{{over}}}{{{under}}}", Fraction(over, under)),
            ]
        )
    )
    sign = draw(st.sampled_from(["", "-", "\u2212", "+"]))
    money = draw(st.sampled_from(["", "$", "€", r"\$", "Rs. "]))
    text = sign + money + form + draw(st.sampled_from(["", "%", " %", r"\%"]))
    text = text.translate(str.maketrans("0123456789", draw(st.sampled_from(["0123456789", "０１２３４５６７８９"]))))
    return text, -value if sign in ("-", "\u2212") else value


@given(written(), st.sampled_from(["{}", "**{}**", r"\boxed{{{}}}", "({})", "`{}`", " {}.", r"\({}\)"]))
def test_every_form_of_a_number_gives_its_value_back(form: tuple[str, Fraction], markup: str) -> None:
    text, value = form
    assert number(markup.format(text)) == value


BEFORE = st.sampled_from(["It is ", "1 + 2 = ", "#### ", "(9) so ", "answer:\n"])
AFTER = st.sampled_from(["", ".", " apples.", "\n", ", I think", "**", "</s>"])


@given(written(), BEFORE, AFTER)
def test_every_form_of_a_number_is_found_in_running_text(form: tuple[str, Fraction], before: str, after: str) -> None:
    text, value = form
    assert number(last_number(before + text + after) or "") == value
    assert number(leading_number(text + after) or "") == value
    assert numbers(before + text + after)[-1] == value


PIECES = (
    *("1", "12", ",", ".", "/", ":", "-", "$", "(", ")", "%", " ", "\n", "e", "x", "^", "10^", "**", "\\", "{", "}"),
    *("\\frac", "\\boxed", "½", "⁵", "\u2212", "Rs", "A", "(B)", "not ", "answer is ", "is wrong", "１", "é", "\u2028"),
)


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=20).map("".join)))
def test_no_text_is_too_odd_and_what_is_found_is_a_number(text: str) -> None:
    for found in (last_number(text), leading_number(text)):
        assert found is None or number(found) is not None
    assert (last_number(text) is None) == (numbers(text) == [])
    assert label(text, "ABCDE") in (None, *"ABCDE")
    labels_like(text)


ADVERSARIAL = (
    *(
        "1",
        "(",
        "()",
        "-",
        "$",
        "^",
        " ",
        "\n",
        "x",
        "**",
        "⁵",
        "1,",
        "12,",
        "1,000,",
        "1/",
        "1.",
        "1:",
        "1 ",
        "1 1/2 ",
    ),
    *("1e9", "10^(", "{}", "US$", "$ ", "-$", "\\,", "1\\,", "\\frac{", "\\frac{1}{", "^{1", "A\n", "(A)"),
    *("A,", "A and ", "(A) is (", "not ", "answer is "),
)


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_it_takes_time_in_proportion_to_the_text(piece: str) -> None:
    text = "5" + piece * (20_000 // len(piece)) + "!"
    for run in (number, last_number, leading_number, labels_like, lambda text: label(text, "ABCDE")):
        began = time.process_time()
        run(text)
        assert time.process_time() - began < 2, run


@pytest.mark.parametrize(
    ("text", "marker", "lines", "found"),
    [
        ("x\n#### 5\n", "\n#### ", 1, "5"),
        ("#### 5", "\n#### ", 1, "5"),
        ("#### Step 1\n1 + 1 = 2\n#### 2", "\n#### ", 1, "2"),
        ("x\n#### 1\ny\n#### 2", "\n#### ", 1, "2"),
        ("x #### red\n\n green \nblue", "####", 2, "red\ngreen"),
        ("x ####", "####", 1, ""),
        ("x", "####", 1, None),
        ("\n a \nb", None, 1, "a"),
        ("a\n\nb\nc\n", "\n", 1, "c"),
        ("a\n\nb\nc\n", "\n", 2, "b\nc"),
    ],
)
def test_what_stands_behind_the_last_marker(text: str, marker: str | None, lines: int, found: str | None) -> None:
    assert behind(text, marker, lines) == found


def test_the_last_line_is_without_its_marker() -> None:
    assert last_line("x\n#### 5 \n\n", "\n#### ") == "5"
    assert last_line("x\nthe bank", None) == "the bank"
    assert last_line(" \n", None) is None


@pytest.mark.parametrize(
    ("found", "answer", "right"),
    [
        ("50%", "50", True), ("50", "50%", True), ("1/4", "3/4", False), ("0.75", "3/4", True), ("0.33", "1/3", False),
        ("1e3", "1000", True), ("\u22123", "-3", True), ("\u22123", "3", False), ("51.00", "51", True),
        ("510", "51", False), ("5.05", "5.5", False), ("$5.50", "5.5", True), ("5", "3 and 5", False),
        ("3 and 5", "3 and 5", True), ("72 apples", "72", False), ("", "0", False), ("2024-03-01", "2024-03-01", True),
    ],
)  # fmt: skip
def test_numbers_are_the_same_by_value_and_other_answers_whole(found: str, answer: str, right: bool) -> None:
    assert same(found, answer, "number") == right


def test_what_is_ignored_is_so_in_output_and_answer_alike() -> None:
    assert same("yes!", "yes", None, ["!"])
    assert same("yes", "yes!", None, ["!"])
    assert same("red\n  green\n", "red\ngreen", "line")
    assert not same("red\ngreen", "red", "line")
    assert not same("yes!", "yes", None)


def test_the_module_needs_the_standard_library_alone() -> None:
    tree = ast.parse(Path(scoring.__file__).read_text())
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert {re.split(r"\.", name)[0] for name in imported} <= sys.stdlib_module_names
