"""The YAML that settings are written in: numbers are numbers, no key twice, every value has its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clpd_bench.errors import UserError
from clpd_bench.settings.file.yaml_reader import parse


def value(text: str) -> object:
    return parse(f"a: {text}", "f.yaml")[0]["a"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-5", 1e-5), ("1E3", 1000.0), ("-2e+2", -200.0), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1.e-2", 0.01)],
)
def test_every_way_to_write_a_number_is_read_as_one(text: str, number: float) -> None:
    assert value(text) == number
    assert isinstance(value(text), float)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_as_python_prints_it_is_read_as_it_was(number: float) -> None:
    assert value(repr(number)) == number


@given(st.integers(-(10**12), 10**12))
def test_whole_numbers_stay_whole(number: int) -> None:
    assert value(str(number)) == number
    assert isinstance(value(str(number)), int)


@pytest.mark.parametrize("text", ["1e", "e5", "1-2", "sums", "1.2.3", "-", "+", "."])
def test_what_only_looks_like_a_number_stays_text(text: str) -> None:
    assert parse(f'a: "{text}"\nb: [{text}]', "f.yaml")[0] == {"a": text, "b": [text]}


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a"),
        ("x:\n  y:\n    z: 1\n    z: 1\n", 4, "x.y.z"),
        ("x:\n  - {k: 1}\n  - {k: 1, k: 2}\n", 3, "x.1.k"),
        ("x: {a: {b: 1,\n  c: 2,\n  b: 3}}\n", 3, "x.a.b"),
        ('a: 1\n"a": 2\n', 2, "a"),
    ],
)
def test_a_key_that_stands_twice_is_refused_at_any_depth(text: str, line: int, key: str) -> None:
    with pytest.raises(UserError, match="stands here again") as told:
        parse(text, "f.yaml")
    assert (told.value.line, told.value.key, told.value.file) == (line, key, "f.yaml")


def test_one_key_in_two_mappings_is_no_duplicate() -> None:
    assert parse("x: {k: 1}\ny: {k: 1}\nz: [{k: 1}, {k: 1}]", "f.yaml")[0]["z"] == [{"k": 1}, {"k": 1}]


def test_every_value_has_the_line_on_which_its_key_stands() -> None:
    _, lines = parse("# a comment\na:\n  b: 1\n\n  c:\n    - x\n    - d: 2\n", "f.yaml")
    assert {path: line for path, line in lines.items() if path} == {
        ("a",): 2,
        ("a", "b"): 3,
        ("a", "c"): 5,
        ("a", "c", 0): 6,
        ("a", "c", 1): 7,
        ("a", "c", 1, "d"): 7,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1\nb: 2\n", 2),
        ("a:\n\tb: 1\n", 2),
        ("a: 1\nb: \x07\n", 2),
        ("a: *nowhere\n", 1),
        ("a: !!python/tuple [1]\n", 1),
    ],
)
def test_text_that_is_no_yaml_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UserError, match=r"^f\.yaml:\d+: not valid YAML") as told:
        parse(text, "f.yaml")
    assert told.value.line == line


def test_an_alias_of_itself_is_refused() -> None:
    with pytest.raises(UserError, match=r"f\.yaml.*alias"):
        parse("a: &a [*a]\n", Path("f.yaml"))
